import { fill, list, opt, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const AggregationRule = struct('AggregationRule', {
  clusterRoleSelectors: zero(1, list(LabelSelector)),
})
export interface AggregationRule extends Of<typeof AggregationRule> {}

export const PolicyRule = struct('PolicyRule', {
  verbs: req(1, list(string)),
  apiGroups: zero(2, list(string)),
  resources: zero(3, list(string)),
  resourceNames: zero(4, list(string)),
  nonResourceURLs: zero(5, list(string)),
})
export interface PolicyRule extends Of<typeof PolicyRule> {}

export const ClusterRole = root('ClusterRole', {
  metadata: fill(1, ObjectMeta),
  rules: fill(2, list(PolicyRule)),
  aggregationRule: opt(3, AggregationRule),
})
export interface ClusterRole extends Of<typeof ClusterRole> {}

export const RoleRef = struct('RoleRef', {
  apiGroup: fill(1, string),
  kind: req(2, string),
  name: req(3, string),
}, { atomic: true })
export interface RoleRef extends Of<typeof RoleRef> {}

export const Subject = struct('Subject', {
  kind: req(1, string),
  apiGroup: zero(2, string),
  name: req(3, string),
  namespace: zero(4, string),
}, { atomic: true })
export interface Subject extends Of<typeof Subject> {}

export const ClusterRoleBinding = root('ClusterRoleBinding', {
  metadata: fill(1, ObjectMeta),
  subjects: zero(2, list(Subject)),
  roleRef: req(3, RoleRef),
})
export interface ClusterRoleBinding extends Of<typeof ClusterRoleBinding> {}

export const Role = root('Role', {
  metadata: fill(1, ObjectMeta),
  rules: fill(2, list(PolicyRule)),
})
export interface Role extends Of<typeof Role> {}

export const RoleBinding = root('RoleBinding', {
  metadata: fill(1, ObjectMeta),
  subjects: zero(2, list(Subject)),
  roleRef: req(3, RoleRef),
})
export interface RoleBinding extends Of<typeof RoleBinding> {}

const gv = groupVersion('rbac.authorization.k8s.io', 'v1')

export const clusterroles = gv.resource(ClusterRole, { plural: 'clusterroles' })
export const clusterrolebindings = gv.resource(ClusterRoleBinding, { plural: 'clusterrolebindings' })
export const roles = gv.resource(Role, { plural: 'roles', namespaced: true })
export const rolebindings = gv.resource(RoleBinding, { plural: 'rolebindings', namespaced: true })
