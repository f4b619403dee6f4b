#!/usr/bin/env bash
# Makes the time stamps that tests/timestamp.rs judges, with authorities of its own, by OpenSSL 3: new keys and a new time at
# each run, so the tests take times and digests from what lies here.
#
#     tests/timestamps/make.sh          # writes its own folder again; needs openssl and jq
#
# Every token is over the signature of one bundle of tests/vectors, but other.tsr. The keys are thrown away, but tsa.key, with
# which tests/played/authority.rs stamps what other tests sign: it protects nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
bundle=$here/../vectors/verified-dsse-hashedrekord-002/bundle.sigstore.json
jq -r '.dsseEnvelope.signatures[0].sig' "$bundle" | base64 -d > signature
printf 'other bytes' > other

cat > openssl.cnf <<'CNF'
[req]
distinguished_name = name
[name]
[ca]
default_ca = authority
[authority]
dir = .
database = index.txt
new_certs_dir = .
default_md = sha256
serial = serial-of-ca
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[between]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa_not_critical]
basicConstraints = critical, CA:false
extendedKeyUsage = timeStamping
[tsa_for_more]
basicConstraints = critical, CA:false
extendedKeyUsage = critical, timeStamping, codeSigning
[tsa_for_nothing]
basicConstraints = critical, CA:false
[stamping]
serial = serial
default_policy = 1.3.6.1.4.1.99999.1
digests = sha1, sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
CNF
sed -n '/^\[stamping\]/,$p' openssl.cnf | sed 's/\[stamping\]/[exact]/' > exact
printf 'accuracy = secs:1, millisecs:500\nclock_precision_digits = 6\nordering = yes\ntsa_name = yes\n' >> exact
sed -n '/^\[stamping\]/,$p' openssl.cnf | sed 's/\[stamping\]/[older]/' > older
sed -i "s/^ess_cert_id_alg.*/ess_cert_id_alg = sha1/" older
sed -n '/^\[stamping\]/,$p' openssl.cnf | sed 's/\[stamping\]/[sha512]/; s/signer_digest.*/signer_digest = sha512/' > by512
cat exact older by512 >> openssl.cnf
printf 01 > serial
export OPENSSL_CONF=$work/openssl.cnf

key() { # NAME ALGORITHM…
  local name=$1
  shift
  openssl genpkey -quiet "$@" -out "$name.key" 2>/dev/null || openssl genpkey "$@" -out "$name.key" 2>/dev/null
}
# All are valid from long before the tests' own moment on, and for a hundred years.
certified() { # NAME SERIAL START END WORDS…: a certificate over NAME.csr
  local name=$1 serial=$2 start=$3 end=$4
  shift 4
  printf '%02X' "$serial" > serial-of-ca
  : > index.txt
  openssl ca -batch -config openssl.cnf -notext -in "$name.csr" -startdate "$start" -enddate "$end" -out "$name.pem" "$@" 2>/dev/null
}
always=(20240101000000Z 21240101000000Z)
root() { # NAME SUBJECT
  openssl req -new -key "$1.key" -subj "$2" -config openssl.cnf -out "$1.csr"
  certified "$1" 1 "${always[@]}" -selfsign -keyfile "$1.key" -md sha384 -extensions root
}
certify() { # NAME KEY SUBJECT ISSUER SERIAL EXTENSIONS
  openssl req -new -key "$2.key" -subj "$3" -config openssl.cnf -out "$1.csr"
  certified "$1" "$5" "${always[@]}" -cert "$4.pem" -keyfile "$4.key" -extensions "$6"
}
stamp() { # OUT CERTIFICATE KEY SECTION QUERY…
  local out=$1 certificate=$2 key=$3 section=$4
  shift 4
  openssl ts -query "$@" -out query.tsq 2>/dev/null
  openssl ts -reply -config openssl.cnf -section "$section" -queryfile query.tsq -signer "$certificate.pem" \
    -inkey "$key.key" -out "$out.tsr" 2>/dev/null
}

p256=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
p384=(-algorithm EC -pkeyopt ec_paramgen_curve:P-384)
key root "${p384[@]}"
key between "${p256[@]}"
key tsa "${p256[@]}"
key tsa384 "${p384[@]}"
key tsarsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key tsa521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
root root "/CN=time root"
certify between between "/CN=time between" root 2 between
certify tsa tsa "/CN=time stamps" between 3 tsa
certify tsa384 tsa384 "/CN=time stamps, P-384" root 4 tsa
certify tsarsa tsarsa "/CN=time stamps, RSA" root 5 tsa
certify tsa521 tsa521 "/CN=time stamps, P-521" root 6 tsa
# The same issuer, serial number and key in another certificate.
certify twin tsa "/CN=time stamps, twin" between 3 tsa
for wrong in not_critical for_more for_nothing; do certify "$wrong" tsa "/CN=time stamps" between 3 "tsa_$wrong"; done
# A root of the same name with another key; a certificate that has ended.
key otherroot "${p384[@]}"
root otherroot "/CN=time root"
openssl req -new -key tsa.key -subj "/CN=time stamps, ended" -config openssl.cnf -out ended.csr
certified ended 7 20240101000000Z 20240201000000Z -cert root.pem -keyfile root.key -extensions tsa

stamp plain tsa tsa stamping -data signature -sha256 -no_nonce
stamp with-certificate tsa tsa stamping -data signature -sha256 -cert
stamp sha384 tsa tsa stamping -data signature -sha384 -cert
stamp sha512 tsa tsa stamping -data signature -sha512 -cert
stamp sha1 tsa tsa stamping -data signature -sha1 -cert
stamp exact tsa tsa exact -data signature -sha256 -cert
stamp older tsa tsa older -data signature -sha256 -cert
stamp p384 tsa384 tsa384 stamping -data signature -sha256 -cert
stamp rsa tsarsa tsarsa sha512 -data signature -sha256 -cert
stamp p521 tsa521 tsa521 sha512 -data signature -sha256 -cert
stamp ended ended tsa stamping -data signature -sha256 -cert
stamp other tsa tsa stamping -data other -sha256 -cert
openssl ts -query -data signature -sha256 -tspolicy 1.2.3 -out query.tsq 2>/dev/null
openssl ts -reply -config openssl.cnf -section stamping -queryfile query.tsq -signer tsa.pem -inkey tsa.key -out rejected.tsr 2>/dev/null || true
openssl ts -query -digest "$(openssl dgst -sha256 -r signature | cut -d' ' -f1)" -sha256 -cert -no_nonce -out request.tsq 2>/dev/null

rm -f "$here"/*.tsr "$here"/*.tsq "$here"/*.pem
cp ./*.tsr request.tsq tsa.key "$here/"
for name in root between tsa tsa384 tsarsa tsa521 twin not_critical for_more for_nothing otherroot ended; do
  cp "$name.pem" "$here/"
done
date +%s > "$here/made"
