// Plays the calls that standard input lists, one JSON array a line, through the
// vendor's SDK, and prints what each of them resolves to or rejects with, one
// JSON object a line. fetch goes to the server in RESEED_URL, with the path,
// method, headers and body that the SDK made; without RESEED_URL it is Node's own.
import { createClient, ApiKeyStrategy, OAuthStrategy } from '@wix/sdk';
import { authentication, members } from '@wix/members';
import { authentication as identity, recovery } from '@wix/identity';
import { createInterface } from 'node:readline';

const server = process.env.RESEED_URL && new URL(process.env.RESEED_URL);
const direct = globalThis.fetch;
let requested;

if (server) {
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    requested = `${init?.method} ${url.host}${url.pathname}`;
    url.protocol = server.protocol;
    url.host = server.host;
    return direct(url, init);
  };
}

const modules = { authentication, members, identity, recovery };
const visitors = new Map(); // clients of OAuth apps, which hold tokens, by name

// client makes what an integrator would: nothing but public options.
function client({ apiKey, siteId, apiBaseUrl, clientId, visitor = '' }) {
  if (clientId !== undefined) {
    const name = clientId + visitor;
    if (!visitors.has(name)) {
      const made = createClient({ modules, auth: OAuthStrategy({ clientId }) });
      visitors.set(name, { ...made, auth: made.auth, flow: flow(made) });
    }
    return visitors.get(name);
  }
  return createClient({
    modules,
    ...(apiKey === undefined ? {} : { auth: ApiKeyStrategy({ apiKey, siteId }) }),
    ...(apiBaseUrl === undefined ? {} : { host: { apiBaseUrl } }),
  });
}

// flow holds what takes more than one call, or a builder.
function flow({ auth, members }) {
  return {
    // A full-page redirect: the code comes back in the address.
    async memberTokens(sessionToken, redirectUri, responseMode) {
      const data = auth.generateOAuthData(redirectUri);
      const { authUrl } = await auth.getAuthUrl(data, { prompt: 'none', responseMode, sessionToken });
      const url = new URL(authUrl);
      const answer = await direct(server ? new URL(url.pathname + url.search, server) : url, { redirect: 'manual' });
      const { code, state } = auth.parseFromUrl(answer.headers.get('location'), responseMode);
      auth.setTokens(await auth.getMemberTokens(code, state, data));
      return auth.loggedIn();
    },
    // The program vouches for the member, by an API key.
    async externalLogin(memberId, apiKey) {
      await auth.getAuthHeaders();
      auth.setTokens(await auth.getMemberTokensForExternalLogin(memberId, apiKey));
      return auth.loggedIn();
    },
    async renew() {
      const { accessToken, refreshToken } = await auth.renewToken(auth.getTokens().refreshToken);
      const kept = refreshToken.value === auth.getTokens().refreshToken.value;
      const fresh = accessToken.value !== auth.getTokens().accessToken.value;
      auth.setTokens({ accessToken, refreshToken });
      return { kept, fresh };
    },
    async current() {
      const { member } = await members.getCurrentMember({ fieldsets: ['FULL'] });
      return member.loginEmail;
    },
    async tokens() {
      return auth.getTokens();
    },
    async steal(tokens) {
      auth.setTokens(tokens);
    },
  };
}

// query runs the SDK's builder and returns the addresses that it finds.
async function query(options, conditions, email = 'loginEmail') {
  let builder = client(options).members.queryMembers({ fieldsets: ['FULL'] });
  for (const [method, ...args] of conditions) {
    builder = builder[method](...args);
  }
  const { items } = await builder.find();
  return items.map((m) => m[email]);
}

function rejected(error) {
  return {
    isError: error instanceof Error,
    status: error.status ?? error.response?.status,
    requestId: error.requestId ?? error.details?.requestId,
    details: error.details,
    message: error.message,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [options, module, method, ...args] = JSON.parse(line);
  requested = undefined;
  let outcome;
  try {
    const call = module === 'query' ? query(options, args) : client(options)[module][method](...args);
    outcome = { resolved: (await call) ?? null };
  } catch (error) {
    outcome = { rejected: rejected(error) };
  }
  console.log(JSON.stringify({ requested, ...outcome }));
}
