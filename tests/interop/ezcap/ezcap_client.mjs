// The unmodified ZCAP client of Digital Bazaar, at the end of a pipe: a command on each line of standard input, as
// JSON, and its outcome on a line of standard output. What is configured here is all that a vendor has to configure.

import {channel} from 'node:diagnostics_channel';
import {createInterface} from 'node:readline';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {createSignCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {ZcapClient} from '@digitalbazaar/ezcap';
import {signCapabilityInvocation} from '@digitalbazaar/http-signature-zcap-invoke';
import {extendDocumentLoader} from '@digitalbazaar/zcap';
import suite2020Context from 'ed25519-signature-2020-context';
import jsigs from 'jsonld-signatures';

// Configuration

class JcsProof extends DataIntegrityProof {
  constructor(options) { super({...options, cryptosuite: createSignCryptosuite()}); }
}

class RdfcProof extends DataIntegrityProof {
  constructor(options) { super({...options, cryptosuite}); }
}

const SUITES = {
  'Ed25519Signature2020': Ed25519Signature2020,
  'eddsa-jcs-2022': JcsProof,
  'eddsa-rdfc-2022': RdfcProof,
};
const CONTEXTS = new Map([...dataIntegrityContext.contexts, ...suite2020Context.contexts]);
const documentLoader = extendDocumentLoader(async url => CONTEXTS.has(url) ?
  {contextUrl: null, documentUrl: url, document: CONTEXTS.get(url)} : jsigs.strictDocumentLoader(url));

async function clientOf({seed, suite, loader = true}) {
  const key = await Ed25519Multikey.generate({seed: Buffer.from(seed, 'hex')});
  const controller = `did:key:${key.publicKeyMultibase}`;
  const signer = {...key.signer(), id: `${controller}#${key.publicKeyMultibase}`, controller};
  return new ZcapClient({
    SuiteClass: SUITES[suite], invocationSigner: signer, delegationSigner: signer,
    ...(loader ? {documentLoader} : {}),
  });
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

// Commands

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
    const {invocationSigner} = await clientOf(by);
    const signed = await signCapabilityInvocation(
      {url, method, headers, capability, capabilityAction: action, invocationSigner});
    const response = await fetch(url, {method, headers: signed});
    return {bodies: [await response.json()]};
  },
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
