/** Who may do what with claims for devices, beyond what roles say of the resource: administrators' access, and parts of the status. */
import { authorization, core, type dra } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { FieldError, path, type Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { RequestContext } from '../../strategy.ts'
import { deviceKey } from './claim-status.ts'

const adminLabel = 'resource.kubernetes.io/admin-access'

/** Access to devices that others use needs a namespace that is marked for it. */
async function adminNamespace(client: Client, namespace: string, at: Path): Promise<readonly FieldError[]> {
  try {
    const { metadata } = await client.get(core.namespaces, namespace)
    if (metadata.labels?.[adminLabel] === 'true') return []
  } catch (error) {
    return [new FieldError('InternalError', at.text, `could not retrieve namespace to verify admin access: ${(error as Error).message}`)]
  }
  return [at.forbidden(`admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`)]
}

/** What is wrong with new requests for access as an administrator; undefined when there are none. */
export function adminRequests(client: Client, requests: readonly dra.DeviceRequest[], namespace: string): Promise<readonly FieldError[]> | undefined {
  const i = requests.findIndex(({ exactly }) => exactly?.adminAccess)
  return i < 0 ? undefined : adminNamespace(client, namespace, path('spec').at('devices').at('requests').index(i).at('adminAccess'))
}

const adminResult = (status: dra.ResourceClaimStatus): number => (status.allocation?.devices.results ?? []).findIndex(({ adminAccess }) => adminAccess)

/** What is wrong with giving such access; what was given stays. */
function adminResults(client: Client, next: dra.ResourceClaimStatus, current: dra.ResourceClaimStatus, namespace: string): Promise<readonly FieldError[]> | undefined {
  const i = adminResult(next)
  if (i < 0 || adminResult(current) >= 0) return undefined
  return adminNamespace(client, namespace, path('status').at('allocation').at('devices').at('results').index(i).at('adminAccess'))
}

interface Asked { readonly verb: string; readonly subresource: string; readonly namespace: string; readonly name: string }

const group = 'resource.k8s.io'

/** Why the user may not; undefined when they may. */
async function refusal(client: Client, { user }: RequestContext, asked: Asked): Promise<string | undefined> {
  const { verb, subresource, namespace, name } = asked
  const { status } = await client.create(authorization.subjectaccessreviews, {
    metadata: {},
    spec: {
      user: user.name, groups: user.groups, ...(user.uid !== undefined && { uid: user.uid }), ...(user.extra && { extra: user.extra }),
      resourceAttributes: { verb, group, version: 'v1', resource: 'resourceclaims', subresource, namespace, name },
    },
  })
  if (status.allowed) return undefined
  const what = `resourceclaims.${group}${name ? ` ${JSON.stringify(name)}` : ''} is forbidden`
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  const why = [status.evaluationError, status.reason].filter(Boolean).join(': ')
  return `${what}: User ${JSON.stringify(user.name)} cannot ${verb} resource "resourceclaims/${subresource}" in API group "${group}" ${where}${why ? `: ${why}` : ''}`
}

/** Which devices a claim has, and who may use them, is for those who bind claims. */
async function binding(client: Client, next: dra.ResourceClaimStatus, current: dra.ResourceClaimStatus, ctx: RequestContext): Promise<readonly FieldError[]> {
  if (deepEqual(next.allocation, current.allocation) && deepEqual(next.reservedFor ?? [], current.reservedFor ?? [])) return []
  const why = await refusal(client, ctx, { verb: ctx.verb, subresource: 'binding', namespace: '', name: '' })
  return why ? [path('status').forbidden(`changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${ctx.verb}" permission: ${why}`)] : []
}

/** The drivers of devices whose status is new, gone or another. */
function movedDrivers(next: dra.ResourceClaimStatus, current: dra.ResourceClaimStatus): readonly string[] {
  const [is, was] = [next, current].map(({ devices = [] }) => new Map(devices.map((device) => [deviceKey(device), device]))) as [Map<string, dra.AllocatedDeviceStatus>, Map<string, dra.AllocatedDeviceStatus>]
  const moved = [...is, ...was].filter(([key]) => !deepEqual(is.get(key), was.get(key))).map(([, { driver }]) => driver)
  return [...new Set(moved)].toSorted()
}

/** The one node that an allocation is for; undefined when it is for several. */
function nodeOf(allocation: dra.AllocationResult | undefined): string | undefined {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [{ matchExpressions = [], matchFields = [] } = {}] = terms
  const [field] = matchFields
  const single = terms.length === 1 && matchExpressions.length === 0 && matchFields.length === 1
  if (!single || field?.key !== 'metadata.name' || field.operator !== 'In' || field.values?.length !== 1) return undefined
  return field.values[0] || undefined
}

const serviceAccount = /^system:serviceaccount:[^:]+:[^:]+$/

/** Whether the user is a service account on that node, as its token says. */
function isOn(node: string | undefined, { user }: RequestContext): boolean {
  const nodes = user.extra?.['authentication.kubernetes.io/node-name'] ?? []
  return node !== undefined && serviceAccount.test(user.name) && nodes.length === 1 && nodes[0] === node && dns1123Subdomain(node).length === 0
}

/** What drivers say of devices is for each of them alone; a driver's agent on a node may be limited to the claims there. */
async function drivers(client: Client, next: dra.ResourceClaimStatus, current: dra.ResourceClaimStatus, ctx: RequestContext): Promise<readonly FieldError[]> {
  const moved = movedDrivers(next, current)
  const verbs = [...(isOn(nodeOf(next.allocation), ctx) ? [`associated-node:${ctx.verb}`] : []), `arbitrary-node:${ctx.verb}`]
  const errors: FieldError[] = []
  for (const driver of moved) {
    let why: string | undefined
    for (const verb of verbs) {
      const refused = await refusal(client, ctx, { verb, subresource: 'driver', namespace: ctx.namespace, name: driver })
      if (!refused) {
        why = undefined
        break
      }
      why ??= refused
    }
    if (why) errors.push(path('status').at('devices').forbidden(`changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission: ${why}`))
  }
  return errors
}

/** What the user may not change in the status of a claim. */
export async function statusPermissions(client: Client, next: dra.ResourceClaim, current: dra.ResourceClaim, ctx: RequestContext): Promise<readonly FieldError[]> {
  const namespace = next.metadata.namespace ?? ''
  return [
    ...(await adminResults(client, next.status, current.status, namespace) ?? []),
    ...await binding(client, next.status, current.status, ctx),
    ...await drivers(client, next.status, current.status, ctx),
  ]
}
