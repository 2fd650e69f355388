/** Nodes. */
import type { core } from '../../../api/index.ts'
import { FieldError, path, type Place } from '../../../machinery/field.ts'
import type { NameRule } from '../../../machinery/names.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { blockWarnings, plainBlock, unless } from '../addresses.ts'
import { follows, forEach } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { wholeObject } from './data.ts'
import { amount } from './validation/resources.ts'
import { taint } from './validation/scheduling.ts'
import { ageColumn, nameColumn, orNone, printer, text, wide } from '../printing.ts'

const unknown = (value: string): string => value || '<unknown>'
const address = (node: core.Node, type: string): string => orNone(node.status.addresses?.find((a) => a.type === type)?.address)

const nodePrinter = printer<core.Node>(
  nameColumn,
  text('Status', 'Whether the node is ready, and whether it takes new pods.', nodeStatus),
  text('Roles', 'Roles that its labels give it.', nodeRoles),
  ageColumn,
  text('Version', 'The version of its kubelet.', (o) => o.status.nodeInfo.kubeletVersion),
  wide(text('Internal-IP', 'Its first address inside the cluster.', (o) => address(o, 'InternalIP'))),
  wide(text('External-IP', 'Its first address outside the cluster.', (o) => address(o, 'ExternalIP'))),
  wide(text('OS-Image', 'Its operating system.', (o) => unknown(o.status.nodeInfo.osImage))),
  wide(text('Kernel-Version', 'Its kernel.', (o) => unknown(o.status.nodeInfo.kernelVersion))),
  wide(text('Container-Runtime', 'Its container runtime.', (o) => unknown(o.status.nodeInfo.containerRuntimeVersion))),
)

function nodeStatus(node: core.Node): string {
  const ready = node.status.conditions?.find((c) => c.type === 'Ready')
  const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown']
  if (node.spec.unschedulable) words.push('SchedulingDisabled')
  return words.join(',')
}

const rolePrefix = 'node-role.kubernetes.io/'
/** `node-role.kubernetes.io/<role>` and the older `kubernetes.io/role: <role>`. */
function nodeRoles(node: core.Node): string {
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : []
    return key === 'kubernetes.io/role' && value ? [value] : []
  })
  return orNone([...new Set(roles)].toSorted().join(','))
}

/** `podCIDR` is the first of `podCIDRs`, and alone if they say otherwise; all of a node can be allocated unless it says less. */
function withDefaults(node: core.Node): core.Node {
  const { podCIDR, podCIDRs } = node.spec
  let next = node
  if (podCIDR && podCIDR !== podCIDRs?.[0]) next = { ...next, spec: { ...next.spec, podCIDRs: [podCIDR] } }
  if (!podCIDR && podCIDRs?.length) next = { ...next, spec: { ...next.spec, podCIDR: podCIDRs[0] } }
  const { capacity } = next.status
  return capacity ? within(next, 'status', (status) => orDefault(status, { allocatable: capacity })) : next
}

function validate(node: core.Node, root: Place, rule: NameRule = plainBlock): void {
  const at = root.at('spec')
  forEach(root.at('metadata').at('taints'), node.spec.taints, taint)
  for (const part of ['capacity', 'allocatable'] as const) {
    for (const [name, value] of Object.entries(node.status[part] ?? {})) amount(root.at('status').at(part).at(name), name, value)
  }
  const seen = new Set<string>()
  for (const [i, value] of (node.spec.taints ?? []).entries()) {
    const key = `${value.key}:${value.effect}`
    if (seen.has(key)) root.say(new FieldError('FieldValueDuplicate', `metadata.taints[${i}]`, 'taints must be unique by key and effect pair', value))
    seen.add(key)
  }
  forEach(at.at('podCIDRs'), node.spec.podCIDRs, (value, place) => follows(place, value, rule))
  families(at.at('podCIDRs'), node.spec.podCIDRs ?? [])
  if (node.spec.podCIDRs?.length && node.spec.podCIDRs[0] !== node.spec.podCIDR) at.at('podCIDRs').index(0).invalid(node.spec.podCIDRs, 'must match `podCIDR`')
}

/** Blocks of addresses: one of each family. */
function families(at: Place, blocks: readonly string[]): void {
  if (blocks.length < 2) return
  if (blocks.length > 2 || new Set(blocks.map((block) => block.includes(':'))).size < 2) at.invalid(blocks, 'may specify no more than one CIDR for each IP family')
  for (const [i, block] of blocks.entries()) if (blocks.indexOf(block) < i) at.index(i).duplicate(block)
}

/** What a node once was told about its network and its machine stays. */
function validateUpdate(next: core.Node, current: core.Node, root: Place): void {
  const at = root.at('spec')
  validate(next, root, unless(current.spec.podCIDRs, plainBlock))
  const addresses = new Set<string>()
  for (const [i, { type, address }] of (next.status.addresses ?? []).entries()) {
    if (addresses.has(`${type} ${address}`)) root.at('status').at('addresses').index(i).duplicate({ type, address })
    addresses.add(`${type} ${address}`)
  }
  let differs = false
  for (const [name, before] of [['podCIDRs', current.spec.podCIDRs], ['providerID', current.spec.providerID]] as const) {
    const shown = name === 'podCIDRs' ? 'podCIDR' : name
    if (!before?.length || deepEqual(next.spec[name], before)) continue
    differs = true
    at.at(name).forbidden(`node updates may not change ${shown} except from "" to valid`)
  }
  if (differs) wholeObject(root).forbidden('node updates may only change labels, taints, or capacity')
}

export const nodes: Strategy<core.Node> = {
  counted: false,
  default: withDefaults,
  prepareForStatusUpdate: (next, current) => ({ ...next, spec: current.spec }),
  validate: (node, root) => validate(node, root),
  validateUpdate,
  validateStatusUpdate: validateUpdate,
  warnings: ({ spec: { podCIDRs = [] } }) => podCIDRs.flatMap((block, i) => blockWarnings(path('spec').at('podCIDRs').index(i), block)),
  selectableFields: (node) => ({ 'spec.unschedulable': String(node.spec.unschedulable ?? false) }),
  printer: nodePrinter,
}
