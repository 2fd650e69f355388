/** The mandatory and suggested priority levels and flow schemas. */
import { flowcontrol, type In } from '../../api/index.ts'

export type LevelSpec = In<typeof flowcontrol.PriorityLevelConfigurationSpec>
export type SchemaSpec = In<typeof flowcontrol.FlowSchemaSpec>
export interface Wanted<S> { readonly name: string; readonly spec: S }

type Subject = In<typeof flowcontrol.Subject>
type ResourceRule = In<typeof flowcontrol.ResourcePolicyRule>

const queued = (shares: number, lendablePercent: number, queues: number, handSize: number): LevelSpec => ({
  type: 'Limited',
  limited: { nominalConcurrencyShares: shares, lendablePercent, limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } } },
})

export const mandatoryLevels: readonly Wanted<LevelSpec>[] = [
  { name: 'exempt', spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  { name: 'catch-all', spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } } },
]

export const suggestedLevels: readonly Wanted<LevelSpec>[] = [
  { name: 'system', spec: queued(30, 33, 64, 6) },
  { name: 'node-high', spec: queued(40, 25, 64, 6) },
  { name: 'leader-election', spec: queued(10, 0, 16, 4) },
  { name: 'workload-high', spec: queued(40, 50, 128, 6) },
  { name: 'workload-low', spec: queued(100, 90, 128, 6) },
  { name: 'global-default', spec: queued(20, 50, 128, 6) },
]

const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const accounts = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } }))
const everybody = groups('system:unauthenticated', 'system:authenticated')
const manager = 'system:kube-controller-manager'
const scheduler = 'system:kube-scheduler'

const rule = (verbs: readonly string[], group: string, resources: readonly string[], clusterScope = false): ResourceRule =>
  ({ verbs, apiGroups: [group], resources, namespaces: ['*'], ...(clusterScope ? { clusterScope } : {}) })

interface Form { readonly level: string; readonly precedence: number; readonly by?: 'ByUser' | 'ByNamespace'; readonly subjects: readonly Subject[] }

function schema(name: string, { level, precedence, by, subjects }: Form, rules?: { readonly resourceRules?: readonly ResourceRule[]; readonly nonResourceRules?: readonly In<typeof flowcontrol.NonResourcePolicyRule>[] }): Wanted<SchemaSpec> {
  const all = { resourceRules: [rule(['*'], '*', ['*'], true)], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }
  return {
    name,
    spec: { priorityLevelConfiguration: { name: level }, matchingPrecedence: precedence, ...(by ? { distinguisherMethod: { type: by } } : {}), rules: [{ subjects, ...(rules ?? all) }] },
  }
}

export const mandatorySchemas: readonly Wanted<SchemaSpec>[] = [
  schema('exempt', { level: 'exempt', precedence: 1, subjects: groups('system:masters') }),
  schema('catch-all', { level: 'catch-all', precedence: 10_000, by: 'ByUser', subjects: everybody }),
]

const leases = { resourceRules: [rule(['get', 'create', 'update'], 'coordination.k8s.io', ['leases'])] }

export const suggestedSchemas: readonly Wanted<SchemaSpec>[] = [
  schema('probes', { level: 'exempt', precedence: 2, subjects: everybody }, { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }),
  schema('system-leader-election', { level: 'leader-election', precedence: 100, by: 'ByUser', subjects: [...users(manager, scheduler), ...accounts('*')] }, leases),
  schema('system-node-high', { level: 'node-high', precedence: 400, by: 'ByUser', subjects: groups('system:nodes') },
    { resourceRules: [rule(['*'], '', ['nodes', 'nodes/status'], true), rule(['*'], 'coordination.k8s.io', ['leases'])] }),
  schema('system-nodes', { level: 'system', precedence: 500, by: 'ByUser', subjects: groups('system:nodes') }),
  schema('kube-controller-manager', { level: 'workload-high', precedence: 800, by: 'ByNamespace', subjects: users(manager) }),
  schema('kube-scheduler', { level: 'workload-high', precedence: 800, by: 'ByNamespace', subjects: users(scheduler) }),
  schema('kube-system-service-accounts', { level: 'workload-high', precedence: 900, by: 'ByNamespace', subjects: accounts('*') }),
  schema('service-accounts', { level: 'workload-low', precedence: 9000, by: 'ByUser', subjects: groups('system:serviceaccounts') }),
  schema('global-default', { level: 'global-default', precedence: 9900, by: 'ByUser', subjects: everybody }),
]
