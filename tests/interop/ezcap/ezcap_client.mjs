// The unmodified packages at the end of a pipe: a command on each line of standard input, as JSON, and its outcome on
// a line of standard output, with the requests that went over the wire meanwhile.

import {channel} from 'node:diagnostics_channel';
import {createInterface} from 'node:readline';
import {signCapabilityInvocation} from '@digitalbazaar/http-signature-zcap-invoke';
import {clientOf, signerOf} from './configuration.mjs';
import {verify} from './verifier.mjs';

const COMMANDS = {
  async delegate({by, ...options}) {
    return {capability: await (await clientOf(by)).delegate(options)};
  },

  async request({by, times = 1, ...options}) {
    const client = await clientOf(by);
    return {bodies: await Promise.all(Array.from({length: times}, () => answered(client.request(options))))};
  },

  // The client's own signing, without the checks that it makes before: for what an honest client would not send.
  async forced({by, url, method = 'GET', action = 'read', capability, headers = {}}) {
    const signed = await signCapabilityInvocation({
      url, method, headers, capability, capabilityAction: action, invocationSigner: await signerOf(by.seed)});
    return {bodies: [await (await fetch(url, {method, headers: signed})).json()]};
  },

  verify,
};

async function answered(request) {
  try {
    return (await request).data ?? null;
  } catch(error) {
    if(error.response === undefined) {
      throw error;
    }
    return error.data ?? null;
  }
}

// What went over the wire, as Node.js says it did: no client is touched for it.

let wire = [];
channel('undici:client:sendHeaders').subscribe(({request, headers}) => wire.push({request, head: headers}));
channel('undici:request:headers').subscribe(({request, response}) => {
  const sent = wire.find(one => one.request === request);
  const text = response.headers.map(String);
  sent.status = response.statusCode;
  sent.headers = Object.fromEntries(
    text.filter((_, at) => at % 2 === 0).map((name, at) => [name.toLowerCase(), text[2 * at + 1]]));
});

for await (const line of createInterface({input: process.stdin})) {
  const {command, ...options} = JSON.parse(line);
  let outcome;
  wire = [];
  try {
    outcome = await COMMANDS[command](options);
  } catch(error) {
    outcome = {error: String(error.message), cause: String(error.cause?.message ?? '')};
  }
  const exchanges = wire.map(({head, status, headers}) => ({head, status, headers}));
  process.stdout.write(JSON.stringify({...outcome, exchanges}) + '\n');
}
