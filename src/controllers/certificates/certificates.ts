/** The certificate controllers: approve what nodes may have, sign what was approved, remove what is over. */
import { X509Certificate } from 'node:crypto'
import { authorization, certificates, core, discovery } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import type { Component } from '../../machinery/log.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'
import { loop } from '../shared/loop.ts'
import { hasCondition, readRequest, type Asked, type Request } from './request.ts'
import { sign, type Signer } from './sign.ts'
import { isOwnServing, isReady, type Neighbourhood } from './serving.ts'
import { isOurs, nodeClientSigner, nodeServingSigner, refusal } from './signers.ts'

const name = 'certificate-controller'
const resource = certificates.certificatesigningrequests
const hour = 3_600_000
const servingRetry = 10_000
const nodeRetry = 30_000

type Condition = certificates.CertificateSigningRequestCondition

const condition = (type: string, reason: string, message: string, now: number): Condition =>
  ({ type, status: 'True', reason, message, lastUpdateTime: rfc3339(now), lastTransitionTime: rfc3339(now) })
const withCondition = (request: Request, added: Condition): Request => ({ ...request, status: { ...request.status, conditions: [...(request.status.conditions ?? []), added] } })

/** Signs approved requests; what the signer does not sign is marked as failed, with the reason. */
export function signingReconciler(requests: Informer<Request>, client: Client, clock: Clock, signer: Signer): Reconciler {
  return {
    async reconcile(key) {
      const request = requests.get(key)
      if (!request || !isOurs(request) || request.status.certificate || !hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return
      const now = clock.now()
      const reason = await readRequest(request).then((asked) => refusal(request, asked), (error: unknown) => `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`)
      if (reason !== undefined) return void await client.updateStatus(resource, withCondition(request, condition('Failed', 'SignerValidationFailure', reason, now)))
      const certificate = Buffer.from(await sign(signer, request, now)).toString('base64')
      await client.updateStatus(resource, { ...request, status: { ...request.status, certificate } })
    },
  }
}

/** What a node may be given without anyone looking: its first client certificate, and the next one by itself. */
const recognized = [
  { subresource: 'selfnodeclient', fits: (request: Request, asked: Asked) => request.spec.username === asked.commonName, message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' },
  { subresource: 'nodeclient', fits: () => true, message: 'Auto approving kubelet client certificate after SubjectAccessReview.' },
] as const

/** Approves node client certificates for those who are allowed to have them, and serving certificates of nodes for what is theirs. */
function approvingReconciler(requests: Informer<Request>, client: Client, clock: Clock, neighbourhood: () => Neighbourhood): Reconciler {
  async function isAllowed({ spec }: Request, subresource: string): Promise<boolean> {
    const review = await client.create(authorization.subjectaccessreviews, {
      metadata: {},
      spec: {
        user: spec.username ?? '', groups: spec.groups ?? [], uid: spec.uid ?? '', extra: spec.extra ?? {},
        resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource, version: '*' },
      },
    })
    return review.status.allowed
  }
  return {
    async reconcile(key) {
      const request = requests.get(key)
      if (!request || ![nodeClientSigner, nodeServingSigner].includes(request.spec.signerName) || request.status.certificate || hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return
      const asked = await readRequest(request).catch(() => undefined)
      // What cannot be read or signed is left for people to look at.
      if (!asked || refusal(request, asked) !== undefined) return
      const approve = (message: string) => client.update(resource, withCondition(request, condition('Approved', 'AutoApproved', message, clock.now())), { subresource: 'approval' })
      if (request.spec.signerName === nodeServingSigner) {
        if (isOwnServing(request, asked, neighbourhood())) await approve('Auto approving kubelet serving certificate for the names and addresses of its own node.')
        // The node's object may come a moment after its request.
        else return { requeueAfter: servingRetry }
        return
      }
      for (const { subresource, fits, message } of recognized) {
        // Who comes with a bootstrap token gets no certificate of a node that is there and well: people have to say that it is the same.
        if (subresource === 'nodeclient' && isReady(asked.commonName, neighbourhood())) return { requeueAfter: nodeRetry }
        if (!fits(request, asked) || !(await isAllowed(request, subresource))) continue
        await approve(message)
        return
      }
    },
  }
}

/** When the certificate ends, in milliseconds; undefined when there is none that can be read. */
function endOf(certificate: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo)
  } catch {
    return undefined // nobody's to judge: it goes an hour after the decision
  }
}

/** Whether a request has been around long enough: an hour after the decision, a day without one, or as long as what was issued is good. */
export function isOver(request: Request, now: number): boolean {
  const since = (type: string) => request.status.conditions?.filter((c) => c.type === type).map((c) => (c.lastUpdateTime ? parseTime(c.lastUpdateTime) : now))[0]
  const { certificate, conditions = [] } = request.status
  const approved = certificate ? since('Approved') : undefined
  const decided = since('Denied') ?? since('Failed') ?? approved
  if (decided !== undefined) return now - decided > hour || (approved !== undefined && (endOf(certificate!) ?? Infinity) < now)
  // What was approved waits for its signer for as long as that takes.
  if (conditions.length > 0) return false
  const created = request.metadata.creationTimestamp
  return created !== undefined && created !== null && now - parseTime(created) > 24 * hour
}

function startCleaner(context: ControllerContext, requests: Informer<Request>, client: Client): Component {
  const { clock, log, signal } = context
  return loop({
    name: 'certificate-cleaner', period: hour, sources: [requests], clock, log, signal,
    async work() {
      for (const { metadata } of requests.list().filter((request) => isOver(request, clock.now())))
        await client.delete(resource, metadata.name ?? '', { preconditions: { uid: metadata.uid ?? '' } }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
    },
  })
}

/** Starts the certificate controllers over an authority. */
export function startCertificateControllers(context: ControllerContext, signer: Signer): Component {
  const { clock, log, signal } = context
  const requests = context.informers.for(resource)
  const client = context.client(name)
  const nodes = context.informers.for(core.nodes)
  const slices = context.informers.for(discovery.endpointslices)
  const neighbourhood = () => ({ nodes: nodes.list(), serverSlices: slices.list().filter(({ metadata }) => metadata.namespace === 'default' && metadata.labels?.['kubernetes.io/service-name'] === 'kubernetes') })
  const run = (part: string, reconciler: Reconciler): Controller =>
    runController({ name: part, reconciler, watches: [watch(requests, (request) => [keyOf(request)])], clock, log, signal })
  const parts = [run('certificate-approver', approvingReconciler(requests, client, clock, neighbourhood)), run('certificate-signer', signingReconciler(requests, client, clock, signer)), startCleaner(context, requests, client)]
  return { async stop() { await Promise.all(parts.map((part) => part.stop())) } }
}
