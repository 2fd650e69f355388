/** What the downward API tells a container about its own pod: `fieldRef` and `resourceFieldRef`. */
import type { core } from '../../api/index.ts'
import { parseQuantity, type Quantity } from '../../machinery/quantity.ts'

/** Labels or annotations as a volume shows them: one sorted `key="value"` a line. */
function formatMap(values: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(values ?? {}).toSorted().map((key) => `${key}=${JSON.stringify(values?.[key])}`).join('\n')
}

export interface Addresses { readonly podIPs: readonly string[]; readonly hostIPs: readonly string[] }

/** The value of a field path. Throws for one the downward API does not have. */
export function fieldValue(pod: core.Pod, path: string, addresses: Addresses): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] as string] ?? ''
  switch (path) {
    case 'metadata.name': return pod.metadata.name ?? ''
    case 'metadata.namespace': return pod.metadata.namespace ?? ''
    case 'metadata.uid': return pod.metadata.uid ?? ''
    case 'metadata.labels': return formatMap(pod.metadata.labels)
    case 'metadata.annotations': return formatMap(pod.metadata.annotations)
    case 'spec.nodeName': return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName': return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP': return addresses.hostIPs[0] ?? ''
    case 'status.hostIPs': return addresses.hostIPs.join(',')
    case 'status.podIP': return addresses.podIPs[0] ?? ''
    case 'status.podIPs': return addresses.podIPs.join(',')
    default: throw new Error(`unsupported fieldPath: ${path}`)
  }
}

/** A request or limit in units of the divisor, rounded up. A limit that is not set is what the node can give. */
export function resourceValue(container: core.Container, selector: core.ResourceFieldSelector, allocatable: Readonly<Record<string, string>> | undefined): string {
  const [kind, ...rest] = selector.resource.split('.')
  const name = rest.join('.')
  const of = (list: Readonly<Record<string, string>> | undefined) => list?.[name]
  const { limits, requests } = container.resources
  const limit = of(limits)
  const unlimited = fromNode.has(name) && (limit === undefined || parseQuantity(limit).isZero())
  const text = kind === 'limits' ? (unlimited ? of(allocatable) : limit) : (of(requests) ?? limit)
  const divisor = parseQuantity(!selector.divisor || selector.divisor === '0' ? '1' : selector.divisor)
  return divided(parseQuantity(text ?? '0'), divisor).toString()
}

/** Of these the node gives all it has to a container without a limit. */
const fromNode: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage'])

function divided(amount: Quantity, divisor: Quantity): bigint {
  if (divisor.isZero()) return amount.value()
  return (amount.nanos + divisor.nanos - 1n) / divisor.nanos
}
