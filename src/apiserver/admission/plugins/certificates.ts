/** Who may approve and sign certificate requests, and whom no certificate may name. */
import type { certificates } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { loadX509 } from '../../../machinery/x509.ts'
import type { Action, Authorizer } from '../../authz/authorizer.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

type Request = certificates.CertificateSigningRequest
const requestOf = (a: AdmissionAttributes): Request => a.object as unknown as Request
/** What is stored: who writes cannot choose another signer on the way. */
const storedOf = (a: AdmissionAttributes): Request => a.old as unknown as Request
const isRequest = (a: AdmissionAttributes, operation: string, subresource: string): boolean =>
  a.resource.groupResource === 'certificatesigningrequests.certificates.k8s.io' && a.operation === operation && a.subresource === subresource

/** Approving takes the right to approve for that signer; without a name, for all signers of the same domain. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: (a) => isRequest(a, 'UPDATE', 'approval'),
    async validate(a) {
      const { signerName } = storedOf(a).spec
      if (!(await mayUseSigner(authorizer, a, 'approve', signerName))) throw refused(a, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}

/** The same for putting a certificate into a request. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: (a) => isRequest(a, 'UPDATE', 'status'),
    async validate(a) {
      const { status } = requestOf(a)
      const { spec, status: old } = storedOf(a)
      if (status.certificate === old.certificate && deepEqual(status.conditions, old.conditions)) return
      if (!(await mayUseSigner(authorizer, a, 'sign', spec.signerName))) throw refused(a, `user not permitted to sign requests with signerName ${JSON.stringify(spec.signerName)}`)
    },
  }
}

/** Nobody becomes a master by a request to be signed. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    handles: (a) => isRequest(a, 'CREATE', '') && requestOf(a).spec.signerName === 'kubernetes.io/kube-apiserver-client',
    async validate(a) {
      const pem = Buffer.from(requestOf(a).spec.request, 'base64').toString('utf8')
      const organizations = await organizationsOf(pem)
      if (organizations.includes('system:masters')) {
        throw refused(a, 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
      }
    },
  }
}

/** The organizations in a request's subject; none when it cannot be read, which the strategy's validation reports. */
async function organizationsOf(pem: string): Promise<readonly string[]> {
  // Loaded on the first request to be signed: most servers never see one, and it must not slow their start.
  await import('reflect-metadata')
  const { Pkcs10CertificateRequest } = await loadX509()
  try {
    return new Pkcs10CertificateRequest(pem).subjectName.getField('O')
  } catch {
    return []
  }
}

async function mayUseSigner(authorizer: Authorizer, a: AdmissionAttributes, verb: string, signerName: string): Promise<boolean> {
  const action = (name: string): Action => ({ isResourceRequest: true, path: '', verb, group: 'certificates.k8s.io', version: '*', namespace: '', resource: 'signers', subresource: '', name })
  const { user } = a.context
  const domain = `${signerName.split('/')[0]}/*`
  for (const name of [signerName, domain]) if ((await authorizer.decide(user, action(name))).opinion === 'allow') return true
  return false
}

