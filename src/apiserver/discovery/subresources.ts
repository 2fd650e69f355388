/** What a subresource is to a client: the kind that goes over the wire and the verbs it takes. */
import type { Resource } from '../../api/index.ts'

export interface SubresourceInfo {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

const readWrite = ['get', 'patch', 'update'] as const
const connect = ['create', 'get'] as const
const proxy = ['create', 'delete', 'get', 'patch', 'update'] as const

/** Subresources whose kind is not their parent's, by `plural/subresource` or by the subresource alone after a star. */
const special: Readonly<Record<string, SubresourceInfo>> = {
  '*/scale': { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: readWrite },
  'pods/attach': { group: '', version: 'v1', kind: 'PodAttachOptions', verbs: connect },
  'pods/exec': { group: '', version: 'v1', kind: 'PodExecOptions', verbs: connect },
  'pods/portforward': { group: '', version: 'v1', kind: 'PodPortForwardOptions', verbs: connect },
  'pods/proxy': { group: '', version: 'v1', kind: 'PodProxyOptions', verbs: proxy },
  'services/proxy': { group: '', version: 'v1', kind: 'ServiceProxyOptions', verbs: proxy },
  'nodes/proxy': { group: '', version: 'v1', kind: 'NodeProxyOptions', verbs: proxy },
  'pods/binding': { group: '', version: 'v1', kind: 'Binding', verbs: ['create'] },
  'pods/eviction': { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  'pods/log': { group: '', version: 'v1', kind: 'Pod', verbs: ['get'] },
  'serviceaccounts/token': { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
  'namespaces/finalize': { group: '', version: 'v1', kind: 'Namespace', verbs: ['update'] },
}

/** Kind and verbs of `resource`'s subresource; those with no entry of their own are read and written as their parent's kind (status, approval, resize). */
export function subresourceInfo(resource: Resource, subresource: string): SubresourceInfo {
  const known = special[`${resource.plural}/${subresource}`] ?? special[`*/${subresource}`]
  return known ?? { group: resource.group, version: resource.version, kind: resource.kind, verbs: readWrite }
}
