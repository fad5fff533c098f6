// Tests of a site's "forgot password" against Reseed, with the official SDK.
// Run by: reseed test -- node --test
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createClient, ApiKeyStrategy } from '@wix/sdk';
import { authentication } from '@wix/members';

const url = process.env.RESEED_URL;
const host = new URL(url).host;
// The SDK calls its host by HTTPS: here it is the test server, by HTTP.
const direct = globalThis.fetch;
globalThis.fetch = (to, init) => direct(String(to).replace(`https://${host}`, url), init);

const site = { id: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1', key: 'acme-key' };
const accounts = {
  groups: [{ name: 'acme-specs', title: 'Acme Specifications' }],
  members: [{ username: 'ann', email: 'ann@example.org', groups: ['acme-specs'] }],
  sites: [{ id: site.id, group: 'acme-specs', keys: [{ key: site.key, scopes: ['manage-members'] }] }],
};

const client = (apiKey) => createClient({
  modules: { authentication },
  auth: ApiKeyStrategy({ apiKey, siteId: site.id }),
  host: { apiBaseUrl: host },
});

async function mailTo(address) {
  const { mails } = await (await fetch(`${url}/dev/mail.json?to=${address}&wait=5s`)).json();
  return mails[0];
}

// Every test begins with these accounts, and no mail.
beforeEach(async () => {
  const seeded = await fetch(`${url}/dev/seed`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(accounts),
  });
  assert.equal(seeded.status, 200, await seeded.text());
});

test('the mailed token sets a new password', async () => {
  const answer = await client(site.key).authentication.sendSetPasswordEmail('ann@example.org');
  assert.deepEqual(answer, { accepted: true });
  const { token } = await mailTo('ann@example.org');
  const recovered = await fetch(`${url}/_api/iam/recovery/v1/recover`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ recoveryToken: token, password: 'violet-Anchor-38' }),
  });
  assert.equal((await recovered.json()).state, 'SUCCESS');
});

test('a wrong key is refused', async () => {
  await assert.rejects(client('wrong').authentication.sendSetPasswordEmail('ann@example.org'),
    (error) => error.details?.applicationError?.code === 'UNAUTHENTICATED');
});
