// What the verifiers of the same packages think of a document that a node, or its vendor's library, has signed.

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {CapabilityDelegation} from '@digitalbazaar/zcap';
import jsigs from 'jsonld-signatures';
import {documentLoader} from './configuration.mjs';

const suite = [
  new Ed25519Signature2020(),
  new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()}),
  new DataIntegrityProof({cryptosuite}),
];

// A did:key, or the one method in it: all of it is in its name.
function didKey(url) {
  const [did, fragment] = url.split('#');
  const publicKeyMultibase = did.slice('did:key:'.length);
  const id = `${did}#${publicKeyMultibase}`;
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1', id, type: 'Multikey', controller: did, publicKeyMultibase,
  };
  return fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did, verificationMethod: [method], assertionMethod: [id], capabilityDelegation: [id],
  };
}

export async function verify({document, root}) {
  const purpose = root === undefined ? new jsigs.purposes.AssertionProofPurpose() :
    new CapabilityDelegation({suite, expectedRootCapability: root.id, allowTargetAttenuation: true});
  const loader = async url => {
    const known = url === root?.id ? root : url.startsWith('did:key:') ? didKey(url) : undefined;
    return known ? {contextUrl: null, documentUrl: url, document: known} : documentLoader(url);
  };
  const {verified, error} = await jsigs.verify(document, {suite, purpose, documentLoader: loader});
  return {verified, reason: error?.errors?.map(String) ?? []};
}
