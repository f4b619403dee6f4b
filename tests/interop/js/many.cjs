// Judges a list of bundles offline with @sigstore/verify, and says yes or no of each.
//
//     node many.cjs MODULES < QUESTIONS > ANSWERS
//
// MODULES is the folder that holds node_modules. Questions and answers are as in ../sigstore-go/many/main.go: a line of
// JSON each, and `yes`, `no` or `broken` with the reason after a tab.
//
// The library checks the signature and the log. For a DSSE bundle it leaves the comparison of subject and artifact to its
// caller, so that comparison is made here, after the library has said yes, on the bytes that it has verified. The name in a
// certificate it matches as an expression, so the whole name is given as one.
'use strict';
const { createHash, createPublicKey } = require('node:crypto');
const { readFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');

const load = (name) => require(join(process.argv[2], 'node_modules', name));
const { bundleFromJSON } = load('@sigstore/bundle');
const { TrustedRoot } = load('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = load('@sigstore/verify');

const exactly = (name) => `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
const roots = new Map();
const rootOf = (path) => {
  if (!roots.has(path)) {
    const text = readFileSync(path);
    try {
      roots.set(path, { root: TrustedRoot.fromJSON(JSON.parse(text)) });
    } catch (error) {
      roots.set(path, { error });
    }
  }
  return roots.get(path);
};

const check = (asked, texts) => {
  const { root, error } = rootOf(asked.root);
  if (error) throw error;
  const bundle = bundleFromJSON(JSON.parse(texts.bundle));
  const material = toTrustMaterial(root, () => ({ publicKey: texts.key, validFor: () => true }));
  const options = asked.key ? { timestampThreshold: 0, ctlogThreshold: 0 } : {};
  const policy = asked.key
    ? undefined
    : { subjectAlternativeName: exactly(asked.identity), extensions: { issuer: asked.issuer } };
  new Verifier(material, options).verify(toSignedEntity(bundle, texts.artifact), policy);
  if (bundle.content.$case !== 'dsseEnvelope') return;
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload);
  const digest = createHash('sha256').update(texts.artifact).digest('hex');
  if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) {
    throw new Error('no subject of the statement is the artifact');
  }
};

const judge = (asked) => {
  let texts;
  try {
    texts = { bundle: readFileSync(asked.bundle), artifact: readFileSync(asked.artifact) };
    if (asked.key) texts.key = createPublicKey(readFileSync(asked.key));
  } catch (error) {
    return ['broken', `${error.name}: ${error.message}`];
  }
  try {
    check(asked, texts);
    return ['yes', ''];
  } catch (error) {
    return ['no', `${error.code ?? error.name}: ${error.message}`];
  }
};

const questions = readFileSync(0, 'utf8').split('\n').filter((line) => line);
const answers = questions.map((line) => judge(JSON.parse(line)).join('\t').replace(/[\r\n]+/g, ' '));
let rest = Buffer.from(`${answers.join('\n')}\n`);
while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
