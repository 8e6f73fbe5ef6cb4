// What somebody who uses these packages has to configure for a node: suites, contexts, a signer. Nothing is fetched.

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {createSignCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {ZcapClient} from '@digitalbazaar/ezcap';
import {extendDocumentLoader} from '@digitalbazaar/zcap';
import suite2020Context from 'ed25519-signature-2020-context';
import jsigs from 'jsonld-signatures';

// The client makes its suite of a signer and a date alone.
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

export const documentLoader = extendDocumentLoader(async url => CONTEXTS.has(url) ?
  {contextUrl: null, documentUrl: url, document: CONTEXTS.get(url)} : jsigs.strictDocumentLoader(url));

export async function signerOf(seed) {
  const key = await Ed25519Multikey.generate({seed: Buffer.from(seed, 'hex')});
  const controller = `did:key:${key.publicKeyMultibase}`;
  return {...key.signer(), id: `${controller}#${key.publicKeyMultibase}`, controller};
}

export async function clientOf({seed, suite}) {
  const signer = await signerOf(seed);
  return new ZcapClient(
    {SuiteClass: SUITES[suite], documentLoader, invocationSigner: signer, delegationSigner: signer});
}
