// Gets tokens with oauth4webapi, which form-encodes Basic credentials (RFC 6749,
// 2.3.1) and checks what it gets, also the id token: by the client's own
// credentials, by a password, and by the refresh token of that. Standard input is
// one JSON object; prints another one a style of credentials.
import * as oauth from 'oauth4webapi';
import { readFileSync } from 'node:fs';

const { url, issuer, id, secret, username, password } = JSON.parse(readFileSync(0, 'utf8'));
const server = { issuer, token_endpoint: url };
const client = { client_id: id, id_token_signed_response_alg: 'HS256' };
const options = { [oauth.allowInsecureRequests]: true }; // plain HTTP, on this machine

async function tokens(auth) {
  const own = await oauth.processClientCredentialsResponse(server, client,
    await oauth.clientCredentialsGrantRequest(server, client, auth, new URLSearchParams({ scope: 'openid' }), options));
  const signed = await oauth.processGenericTokenEndpointResponse(server, client,
    await oauth.genericTokenEndpointRequest(server, client, auth, 'password', { username, password }, options));
  const again = await oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, auth, signed.refresh_token, options));
  return { own, signed, again, subject: oauth.getValidatedIdTokenClaims(again)?.sub };
}

async function refused(auth) {
  try {
    await oauth.processClientCredentialsResponse(server, client,
      await oauth.clientCredentialsGrantRequest(server, client, auth, {}, options));
  } catch (e) {
    // A 401 with a challenge, or the error of RFC 6749, 5.2.
    return { status: e.status ?? e.response?.status, error: e.error, challenges: e.cause?.length };
  }
  return {};
}

for (const style of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  console.log(JSON.stringify({ ...await tokens(style(secret)), wrong: await refused(style(secret + 'x')) }));
}
