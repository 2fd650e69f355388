/** The vocabulary in which the default roles are written. */
import type { rbac } from '../../api/index.ts'

export type Rule = Partial<rbac.PolicyRule> & Pick<rbac.PolicyRule, 'verbs'>
export type SubjectData = { readonly kind: string; readonly name: string; readonly namespace?: string; readonly apiGroup?: string }

export interface RoleData {
  readonly name: string
  /** Empty for cluster roles. */
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly rules: readonly Rule[]
  /** Its rules are those of the roles that carry one of these labels. */
  readonly aggregate?: readonly string[]
}

export interface BindingData {
  readonly name: string
  readonly namespace?: string
  readonly role: string
  readonly roleKind?: 'Role' | 'ClusterRole'
  readonly subjects: readonly SubjectData[]
}

const rbacGroup = 'rbac.authorization.k8s.io'
export const group = {
  core: '', apps: 'apps', authentication: 'authentication.k8s.io', authorization: 'authorization.k8s.io', autoscaling: 'autoscaling', batch: 'batch',
  certificates: 'certificates.k8s.io', coordination: 'coordination.k8s.io', discovery: 'discovery.k8s.io', events: 'events.k8s.io', metrics: 'metrics.k8s.io',
  networking: 'networking.k8s.io', node: 'node.k8s.io', policy: 'policy', rbac: rbacGroup, resource: 'resource.k8s.io', scheduling: 'scheduling.k8s.io',
  storage: 'storage.k8s.io', apiregistration: 'apiregistration.k8s.io', apiextensions: 'apiextensions.k8s.io', flowcontrol: 'flowcontrol.apiserver.k8s.io',
  admission: 'admissionregistration.k8s.io',
} as const

/** `may('get list watch', '', 'pods services')`; with names, only objects of these names. */
export const may = (verbs: string, apiGroup: string, resources: string, names?: readonly string[]): Rule =>
  ({ verbs: verbs.split(' '), apiGroups: [apiGroup], resources: resources.split(' '), ...(names ? { resourceNames: names } : {}) })
/** `visit('get', '/metrics')`. */
export const visit = (verbs: string, ...urls: readonly string[]): Rule => ({ verbs: verbs.split(' '), nonResourceURLs: urls })

export const read = 'get list watch'
export const write = 'create delete deletecollection patch update'
export const readWrite = `${read} ${write}`

/** What everybody who reports events needs. */
export const reportEvents: readonly Rule[] = [may('create patch update', group.core, 'events'), may('create patch update', group.events, 'events')]

/** A user, a group or a service account as the subject of a binding. */
export const user = (name: string): SubjectData => ({ apiGroup: rbacGroup, kind: 'User', name })
export const members = (name: string): SubjectData => ({ apiGroup: rbacGroup, kind: 'Group', name })
export const account = (namespace: string, name: string): SubjectData => ({ kind: 'ServiceAccount', name, namespace })
