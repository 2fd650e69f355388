/** Subresources that act: a POST that changes the pod it is sent to. */
import { core, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { AdmissionChain } from '../admission/admission.ts'
import { badRequest, conflict, invalid, type Status } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { attributes, type Call, type RegistryEnvironment } from './call.ts'
import { evict, evictionType } from './eviction.ts'
import { withMeta } from './meta.ts'
import { update, type UpdateRules } from './update.ts'

export interface Action {
  /** The type of the body. */
  readonly type: StructType<ApiObject>
  readonly apiVersion: string
  /** Older versions of it, accepted as well. */
  readonly also?: readonly string[]
  /** Resolves with the body of the 201. Called through `runAction`. */
  run(env: RegistryEnvironment, call: Call, body: ApiObject): Promise<ApiObject>
}

const created: Omit<Status, 'message'> = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
const success = created as unknown as ApiObject

// That it was given a node is no change that the node would have to see: the generation stays.
const asIs: UpdateRules = { prepare: (next) => next, validate: () => [], counts: false }

function bound(pod: core.Pod, binding: core.Binding, call: Call): core.Pod {
  const { target } = binding
  if (pod.metadata.deletionTimestamp) throw conflict({ group: '', plural: 'pods/binding' }, call.name, `pod ${call.name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw conflict({ group: '', plural: 'pods/binding' }, call.name, `pod ${call.name} is already assigned to node "${pod.spec.nodeName}"`)
  if (pod.spec.schedulingGates?.length) throw conflict({ group: '', plural: 'pods/binding' }, call.name, `pod ${call.name} has non-empty .spec.schedulingGates`)
  const { uid } = binding.metadata
  if (uid && uid !== pod.metadata.uid) throw conflict({ group: '', plural: 'pods/binding' }, call.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`)
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: rfc3339(call.now) } as const
  const before = pod.status.conditions ?? []
  const conditions = before.some((c) => c.type === 'PodScheduled') ? before.map((c) => (c.type === 'PodScheduled' ? scheduled : c)) : [...before, scheduled]
  // A node that was to be made free for it is promised to it no longer.
  const { nominatedNodeName: _promised, ...status } = pod.status
  const annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations }
  const labels = { ...pod.metadata.labels, ...binding.metadata.labels }
  const next: core.Pod = { ...pod, spec: { ...pod.spec, nodeName: target.name ?? '' }, status: { ...status, conditions } }
  return withMeta(next as unknown as ApiObject, {
    annotations: Object.keys(annotations).length ? annotations : undefined,
    labels: Object.keys(labels).length ? labels : undefined,
  }) as unknown as core.Pod
}

/** Assigns a pod to a node. Throws `ApiError` 409 when it has one already, or is being deleted. */
const binding: Action = {
  type: core.Binding as unknown as StructType<ApiObject>,
  apiVersion: 'v1',
  async run(env, call, body) {
    const wanted = body as unknown as core.Binding
    const at = path('target')
    if (wanted.metadata.name !== call.name) throw badRequest('name in URL does not match name in Binding object')
    if (wanted.target.kind && wanted.target.kind !== 'Node') throw invalid({ group: '', kind: 'Binding' }, call.name, [at.at('kind').notSupported(wanted.target.kind, ['Node', '<empty>'])])
    if (!wanted.target.name) throw invalid({ group: '', kind: 'Binding' }, call.name, [at.at('name').required()])
    await update(env, call, asIs, (pod) => bound(pod as unknown as core.Pod, wanted, call) as unknown as ApiObject, { managed: true })
    return success
  },
}

/** Deletes a pod, if the disruption budget over it allows. */
const eviction: Action = {
  type: evictionType,
  apiVersion: 'policy/v1',
  // What kubectl drain sends before v1.22.
  also: ['policy/v1beta1'],
  async run(env, call, body) {
    await evict(env, call, body)
    return success
  },
}

const actions: Readonly<Record<string, Action>> = { 'pods/binding': binding, 'pods/eviction': eviction }

/** The action of a subresource, by `groupResource/subresource`. */
export const actionOf = (name: string): Action | undefined => actions[name]

/** Runs an action after admission. Throws `ApiError`. */
export async function runAction(env: RegistryEnvironment, call: Call, action: Action, sent: ApiObject): Promise<ApiObject> {
  const body = sent.apiVersion === action.apiVersion ? sent : { ...sent, apiVersion: action.apiVersion }
  const admitted = (await env.admission.mutate(attributes(call, 'CREATE', body, undefined, action.type))) ?? body
  await env.admission.validate(attributes(call, 'CREATE', admitted, undefined, action.type))
  // What the action does to the pod is part of it, not another request.
  return action.run({ ...env, admission: admittedAlready }, call, admitted)
}

const admittedAlready: AdmissionChain = { mutate: async ({ object }) => object, validate: async () => undefined }

/** The call that `POST …/namespaces/x/bindings` means: binding the pod of the same name. */
export function bindingCall(env: RegistryEnvironment, call: Call, body: ApiObject): { readonly action: Action; readonly call: Call } {
  const pods = env.find('', 'v1', 'pods')
  const name = body.metadata.name
  if (!name || !pods) throw badRequest('name must be provided')
  return { action: binding, call: { ...call, served: pods, subresource: 'binding', name } }
}
