// What a page of a headless site does, for the tests in a browser: bundled from
// the vendor's packages, and called step by step.
import { createClient, OAuthStrategy } from '@wix/sdk';
import { members } from '@wix/members';
import { authentication, recovery } from '@wix/identity';

let client;

window.steps = {
  open(clientId) {
    client = createClient({ modules: { members, authentication, recovery }, auth: OAuthStrategy({ clientId }) });
  },
  forget: (email, back) => client.auth.sendPasswordResetEmail(email, back),
  recover: (token, password) => client.recovery.recover(token, { password }),
  login: (email, password) => client.auth.login({ email, password }),
  async signIn(sessionToken) {
    client.auth.setTokens(await client.auth.getMemberTokensForDirectLogin(sessionToken));
    return client.auth.loggedIn();
  },
  async current() {
    const { member } = await client.members.getCurrentMember({ fieldsets: ['FULL'] });
    return member.loginEmail;
  },
  change: (password) => client.authentication.changePassword(password),
};

window.step = async (name, ...args) => {
  try {
    return JSON.stringify({ resolved: (await window.steps[name](...args)) ?? null });
  } catch (error) {
    return JSON.stringify({ rejected: { message: error.message, status: error.status, requestId: error.requestId, details: error.details } });
  }
};
