/** Nodes. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
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

export const nodes: Strategy<core.Node> = { printer: nodePrinter }
