// Verifies one key-signed bundle offline with @sigstore/verify, and says nothing but yes or no.
//
//     node verify.cjs MODULES BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT
//
// MODULES is the folder that holds node_modules. Exit code 0: verified. 1: refused, with the library's reason on stderr.
// 2: usage, or an input that cannot be read, so that a missing file is never taken for a refusal.
//
// The library checks the signature and the log. For a DSSE bundle it leaves the comparison of subject and artifact to its
// caller, so that comparison is made here, after the library has said yes, on the bytes that it has verified.
'use strict';
const { createHash, createPublicKey } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const fail = (code, error) => {
  console.error(`${error.code ?? error.name}: ${error.message}`);
  process.exit(code);
};
const attempt = (code, act) => {
  try {
    return act();
  } catch (error) {
    return fail(code, error);
  }
};

const [modules, ...paths] = process.argv.slice(2);
if (paths.length !== 4) fail(2, new Error('usage: verify.cjs MODULES BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT'));
const load = (name) => require(join(modules, 'node_modules', name));
const { bundleFromJSON } = attempt(2, () => load('@sigstore/bundle'));
const { TrustedRoot } = attempt(2, () => load('@sigstore/protobuf-specs'));
const { Verifier, toSignedEntity, toTrustMaterial } = attempt(2, () => load('@sigstore/verify'));
const [bundleText, keyText, rootText, artifact] = paths.map((path) => attempt(2, () => readFileSync(path)));
const publicKey = attempt(2, () => createPublicKey(keyText));

attempt(1, () => {
  const trustedRoot = TrustedRoot.fromJSON(JSON.parse(rootText));
  const bundle = bundleFromJSON(JSON.parse(bundleText));
  const material = toTrustMaterial(trustedRoot, () => ({ publicKey, validFor: () => true }));
  new Verifier(material).verify(toSignedEntity(bundle));
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload);
  const digest = createHash('sha256').update(artifact).digest('hex');
  if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) {
    throw new Error('no subject of the statement is the artifact');
  }
});
console.error('verified');
