// Makes imported.txt, hashes of other systems for the tests of imports, with
// nothing of this project: node:crypto, the system's libcrypt by Perl (bcrypt),
// and the packages below.
//
//	npm install --ignore-scripts node-phpass@1.0.5 aspnetcore-identity-password-hasher@1.0.1 firebase-scrypt@2.2.0
//	node make_vectors.mjs > imported.txt
//
// Columns, separated by tabs: name, hash, password as hex of its bytes.
import crypto from 'node:crypto';
import { execFileSync } from 'node:child_process';
import Module, { createRequire } from 'node:module';

const load = Module._load; // node-phpass asks for a compiled module that is not needed here
Module._load = (id, ...rest) => (id === 'bcrypt' ? {} : load(id, ...rest));
const require = createRequire(process.cwd() + '/');
const { PasswordHash, CRYPT_BLOWFISH } = require('node-phpass');
const identity = require('aspnetcore-identity-password-hasher');
const { FirebaseScrypt } = require('firebase-scrypt');

const words = ['correct horse 7', 'müller zwölf krähen 9', '£', 'x'.repeat(80)];
const salt = Buffer.from('NaCl-of-the-test');
const b64 = (b) => Buffer.from(b).toString('base64');
const passlib64 = (b) => b64(b).replaceAll('+', '.').replaceAll('=', '');
const row = (name, hash, word) => console.log([name, hash, Buffer.from(word).toString('hex')].join('\t'));
const digest = (name, ...parts) => parts.reduce((h, p) => h.update(p), crypto.createHash(name)).digest();

for (const word of words) {
  for (const [label, name, size] of [['pbkdf2', 'sha1', 20], ['pbkdf2-sha256', 'sha256', 32], ['pbkdf2-sha512', 'sha512', 64]]) {
    const key = crypto.pbkdf2Sync(word, salt, 2000, size, name);
    row('passlib ' + name, `$${label}$2000$${passlib64(salt)}$${passlib64(key)}`, word);
  }
  for (const name of ['sha1', 'sha256']) {
    const key = crypto.pbkdf2Sync(word, 'testsaltabcd', 2000, name === 'sha1' ? 20 : 32, name);
    row('Django pbkdf2', `pbkdf2_${name}$2000$testsaltabcd$${b64(key)}`, word);
  }
  // Keycloak: credentialData.hashIterations, secretData.salt, secretData.value
  row('Keycloak', `$pbkdf2-sha256$27500$${b64(salt)}$${b64(crypto.pbkdf2Sync(word, salt, 27500, 64, 'sha256'))}`, word);
  for (const name of ['md5', 'sha1', 'sha256', 'sha512']) {
    row('salted', `${name}$abcdef$${digest(name, 'abcdef', word).toString('hex')}`, word);
  }
  for (const [label, name] of [['SMD5', 'md5'], ['SSHA', 'sha1'], ['SSHA256', 'sha256'], ['SSHA512', 'sha512']]) {
    row('LDAP', `{${label}}${b64(Buffer.concat([digest(name, word, salt.subarray(0, 8)), salt.subarray(0, 8)]))}`, word);
  }
  const key = crypto.scryptSync(word, salt, 32, { N: 1024, r: 8, p: 1 });
  row('scrypt', `$scrypt$ln=10,r=8,p=1$${b64(salt).replaceAll('=', '')}$${b64(key).replaceAll('=', '')}`, word);
  row('ASP.NET Identity 3', await identity.hash(word), word);
  if (word !== words[0]) continue; // the rest takes long
  const pbkdf2 = crypto.pbkdf2Sync(word, salt, 100000, 32, 'sha512');
  const header = Buffer.alloc(13);
  header[0] = 1;
  header.writeUInt32BE(2, 1);
  header.writeUInt32BE(100000, 5);
  header.writeUInt32BE(salt.length, 9);
  row('ASP.NET Core 7', b64(Buffer.concat([header, salt, pbkdf2])), word);
  const portable = new PasswordHash(8, true, CRYPT_BLOWFISH, 7);
  const phpass = portable.crypt_private(word, '$P$BtestSalt');
  row('phpass', phpass, word);
  row('phpBB', phpass.replace('$P$', '$H$'), word);
}

const signer = 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==';
for (const word of ['user1password']) {
  const project = new FirebaseScrypt({ memCost: 14, rounds: 8, saltSeparator: 'Bw==', signerKey: signer });
  const hash = await project.hash(word, '42xEC+ixf3L2lw==');
  row('Firebase', `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=${signer}$42xEC+ixf3L2lw==$${hash}`, word);
}

for (const minor of 'abxy') {
  for (const hex of minor === 'x' ? ['636f727265637420686f7273652037', 'a3', 'ffa33334ffffffa3333435'] : ['6dc3bc6c6c6572']) {
    const code = `print crypt(pack("H*", "${hex}"), q{$2${minor}$10$/OK.fbVrR/bpIqNJ5ianF.})`;
    row('bcrypt 2' + minor, execFileSync('perl', ['-e', code]).toString(), Buffer.from(hex, 'hex'));
  }
}
