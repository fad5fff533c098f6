// Plays the calls that standard input lists, one JSON array a line, through the
// vendor's SDK, and prints what each of them resolves to or rejects with, one
// JSON object a line. fetch goes to the server in RESEED_URL, with the path,
// method, headers and body that the SDK made.
import { createClient, ApiKeyStrategy } from '@wix/sdk';
import { authentication } from '@wix/members';
import { recovery } from '@wix/identity';
import { createInterface } from 'node:readline';

const server = new URL(process.env.RESEED_URL);
const direct = globalThis.fetch;
let requested;

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  requested = `${init?.method} ${url.host}${url.pathname}`;
  url.protocol = server.protocol;
  url.host = server.host;
  return direct(url, init);
};

// client makes what an integrator would: nothing but public options.
function client({ apiKey, siteId, apiBaseUrl }) {
  return createClient({
    modules: { authentication, recovery },
    ...(apiKey === undefined ? {} : { auth: ApiKeyStrategy({ apiKey, siteId }) }),
    ...(apiBaseUrl === undefined ? {} : { host: { apiBaseUrl } }),
  });
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
    outcome = { resolved: (await client(options)[module][method](...args)) ?? null };
  } catch (error) {
    outcome = { rejected: rejected(error) };
  }
  console.log(JSON.stringify({ requested, ...outcome }));
}
