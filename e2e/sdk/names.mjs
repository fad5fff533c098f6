// Loaded before a program (node --import): leads TLS connections for the hosts of
// the tests to the proxy at 127.0.0.1, port PROXY_PORT, as DNS or /etc/hosts
// would. Names, and how certificates are verified against them, stay as they are.
import tls from 'node:tls';

const connect = tls.connect;
tls.connect = (options, ...rest) => {
  if (!/^((www|edge)\.wixapis\.com|accounts\.example\.org)$/.test(options.host)) {
    throw new Error(`no way leads to ${options.host}`);
  }
  return connect({ ...options, host: '127.0.0.1', port: Number(process.env.PROXY_PORT) }, ...rest);
};
