import { fill, list, opt, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const AggregationRule = struct('AggregationRule', {
  clusterRoleSelectors: zero(1, list(LabelSelector), 'Their labels.'),
}, 'Other cluster roles whose rights are added.')
export interface AggregationRule extends Of<typeof AggregationRule> {}

export const PolicyRule = struct('PolicyRule', {
  verbs: req(1, list(string), 'What may be done: get, list, watch, create, update, patch, delete and others; * for all.'),
  apiGroups: zero(2, list(string), 'API groups; empty text for the core group, * for all.'),
  resources: zero(3, list(string), 'Resources, such as pods or pods/log; * for all.'),
  resourceNames: zero(4, list(string), 'Names, if only some objects are meant.'),
  nonResourceURLs: zero(5, list(string), 'Paths that are not resources, such as /healthz.'),
}, 'A right: what may be done with what.')
export interface PolicyRule extends Of<typeof PolicyRule> {}

export const ClusterRole = root('ClusterRole', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  rules: fill(2, list(PolicyRule), 'The rights.'),
  aggregationRule: opt(3, AggregationRule, 'Other cluster roles whose rights it has as well.'),
}, 'Rights in the whole cluster, or in any namespace it is bound in.')
export interface ClusterRole extends Of<typeof ClusterRole> {}

export const RoleRef = struct('RoleRef', {
  apiGroup: fill(1, string, 'rbac.authorization.k8s.io'),
  kind: req(2, string, 'Role or ClusterRole.'),
  name: req(3, string, 'The name of the role.'),
}, { doc: 'A role.', atomic: true })
export interface RoleRef extends Of<typeof RoleRef> {}

export const Subject = struct('Subject', {
  kind: req(1, string, 'User, Group or ServiceAccount.'),
  apiGroup: zero(2, string, 'Empty for service accounts, rbac.authorization.k8s.io for others.'),
  name: req(3, string, 'The name.'),
  namespace: zero(4, string, 'The namespace of a service account.'),
}, { doc: 'Somebody who gets a role.', atomic: true })
export interface Subject extends Of<typeof Subject> {}

export const ClusterRoleBinding = root('ClusterRoleBinding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  subjects: zero(2, list(Subject), 'Who gets it.'),
  roleRef: req(3, RoleRef, 'The role. It cannot be changed.'),
}, 'Gives a cluster role to somebody in the whole cluster.')
export interface ClusterRoleBinding extends Of<typeof ClusterRoleBinding> {}

export const Role = root('Role', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  rules: fill(2, list(PolicyRule), 'The rights.'),
}, 'Rights in a namespace.')
export interface Role extends Of<typeof Role> {}

export const RoleBinding = root('RoleBinding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  subjects: zero(2, list(Subject), 'Who gets it.'),
  roleRef: req(3, RoleRef, 'The role. It cannot be changed.'),
}, 'Gives a role to somebody in a namespace.')
export interface RoleBinding extends Of<typeof RoleBinding> {}

const gv = groupVersion('rbac.authorization.k8s.io', 'v1')

export const clusterroles = gv.resource(ClusterRole, { plural: 'clusterroles' })
export const clusterrolebindings = gv.resource(ClusterRoleBinding, { plural: 'clusterrolebindings' })
export const roles = gv.resource(Role, { plural: 'roles', namespaced: true })
export const rolebindings = gv.resource(RoleBinding, { plural: 'rolebindings', namespaced: true })
