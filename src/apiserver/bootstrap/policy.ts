/** The roles and bindings of every cluster: the same names and rights as in Kubernetes, which charts and operators build on. */
import { discoveryUrls, publicUrls } from '../authz/public.ts'
import { controllerRoles } from './policy-controllers.ts'
import { account, group, may, members, read, readWrite, reportEvents, user, visit, write, type BindingData, type RoleData, type Rule } from './policy-words.ts'

export type { BindingData, RoleData } from './policy-words.ts'

const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`
const health = ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*'] as const

/** What people of a namespace do: each step includes the one after it, by aggregation. */
const people: readonly RoleData[] = [
  { name: 'admin', rules: [], aggregate: [aggregateTo('admin')] },
  { name: 'edit', rules: [], aggregate: [aggregateTo('edit')], labels: { [aggregateTo('admin')]: 'true' } },
  { name: 'view', rules: [], aggregate: [aggregateTo('view')], labels: { [aggregateTo('edit')]: 'true' } },
  {
    name: 'system:aggregate-to-admin',
    labels: { [aggregateTo('admin')]: 'true' },
    rules: [may('create', group.authorization, 'localsubjectaccessreviews'), may(readWrite, group.rbac, 'rolebindings roles')],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: { [aggregateTo('edit')]: 'true' },
    rules: [
      may(read, group.core, 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
      may('impersonate', group.core, 'serviceaccounts'),
      may(write, group.core, 'pods pods/attach pods/exec pods/portforward pods/proxy'),
      may('create', group.core, 'pods/eviction'),
      may(write, group.core, 'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy'),
      may('create', group.core, 'serviceaccounts/token'),
      may(write, group.apps, 'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale'),
      may(write, group.autoscaling, 'horizontalpodautoscalers'),
      may(write, group.batch, 'cronjobs jobs'),
      // The group is gone, but charts still ask for it beside its successors: whoever may edit must be able to grant it.
      may(write, 'extensions', 'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale'),
      may(write, group.policy, 'poddisruptionbudgets'),
      may(write, group.networking, 'ingresses networkpolicies'),
      may(readWrite, group.coordination, 'leases'),
      may(write, group.resource, 'resourceclaims resourceclaimtemplates'),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: { [aggregateTo('view')]: 'true' },
    rules: [
      may(read, group.core, 'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status'),
      may(read, group.core, 'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status'),
      may(read, group.core, 'namespaces'),
      may(read, group.discovery, 'endpointslices'),
      may(read, group.apps, 'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status'),
      may(read, group.autoscaling, 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      may(read, group.batch, 'cronjobs cronjobs/status jobs jobs/status'),
      may(read, 'extensions', 'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale'),
      may(read, group.policy, 'poddisruptionbudgets poddisruptionbudgets/status'),
      may(read, group.networking, 'ingresses ingresses/status networkpolicies'),
      may(read, group.resource, 'resourceclaims resourceclaims/status resourceclaimtemplates'),
    ],
  },
]

const everybody: readonly RoleData[] = [
  { name: 'cluster-admin', rules: [may('*', '*', '*'), visit('*', '*')] },
  { name: 'system:discovery', rules: [visit('get', ...discoveryUrls)] },
  { name: 'system:public-info-viewer', rules: [visit('get', ...publicUrls)] },
  {
    name: 'system:basic-user',
    rules: [may('create', group.authorization, 'selfsubjectaccessreviews selfsubjectrulesreviews'), may('create', group.authentication, 'selfsubjectreviews')],
  },
  { name: 'system:monitoring', rules: [visit('get', '/metrics', '/metrics/slis', '/flagz', '/statusz', ...health)] },
  { name: 'system:service-account-issuer-discovery', rules: [visit('get', '/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/')] },
  { name: 'system:auth-delegator', rules: [may('create', group.authentication, 'tokenreviews'), may('create', group.authorization, 'subjectaccessreviews')] },
  { name: 'system:kubelet-api-admin', rules: [may(read, group.core, 'nodes'), may('proxy', group.core, 'nodes'), may('*', group.core, 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats')] },
]

const delegation = [may('create', group.authentication, 'tokenreviews'), may('create', group.authorization, 'subjectaccessreviews')]

const schedulerRules: readonly Rule[] = [
  ...reportEvents,
  may('create list watch', group.coordination, 'leases'),
  may('get update', group.coordination, 'leases', ['kube-scheduler']),
  may(read, group.core, 'namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services'),
  may(`${read} delete`, group.core, 'pods'),
  may('create', group.core, 'bindings pods/binding'),
  may('patch update', group.core, 'pods/status'),
  may(read, group.apps, 'replicasets statefulsets'),
  may(read, group.policy, 'poddisruptionbudgets'),
  may(read, group.storage, 'csidrivers csinodes csistoragecapacities storageclasses volumeattachments'),
  may(read, group.resource, 'deviceclasses resourceclaims resourceslices'),
  may('patch update', group.resource, 'resourceclaims resourceclaims/binding resourceclaims/status'),
  may(read, group.resource, 'resourceclaims/status'),
  may(`${read} patch update`, group.core, 'pods/finalizers'),
  may('create', group.core, 'persistentvolumeclaims/status'),
  ...delegation,
]

/** The components themselves. What a node may do is decided by the Node authorizer; the role is there for those who bind it. */
const components: readonly RoleData[] = [
  { name: 'system:kube-scheduler', rules: schedulerRules },
  { name: 'system:volume-scheduler', rules: [may(`${read} patch update`, group.core, 'persistentvolumeclaims persistentvolumes'), may(read, group.storage, 'storageclasses')] },
  {
    name: 'system:kube-controller-manager',
    rules: [
      ...reportEvents,
      may('create', group.coordination, 'leases'),
      may('get update', group.coordination, 'leases', ['kube-controller-manager']),
      may('create get update', group.core, 'secrets serviceaccounts'),
      may('delete', group.core, 'secrets'),
      may('get', group.core, 'configmaps namespaces'),
      may('create', group.core, 'serviceaccounts/token'),
      may('list watch', '*', '*'),
      ...delegation,
    ],
  },
  {
    name: 'system:node',
    rules: [
      ...delegation,
      may('create', group.authorization, 'localsubjectaccessreviews'),
      may(read, group.core, 'services'),
      may(`create ${read}`, group.core, 'nodes'),
      may('patch update', group.core, 'nodes nodes/status'),
      ...reportEvents,
      may(`${read} create delete`, group.core, 'pods'),
      may('patch update', group.core, 'pods/status'),
      may('create', group.core, 'pods/eviction serviceaccounts/token'),
      may(read, group.core, 'configmaps secrets'),
      may('get', group.core, 'endpoints persistentvolumeclaims persistentvolumes serviceaccounts'),
      may('get patch update', group.core, 'persistentvolumeclaims/status'),
      may(`create ${read}`, group.certificates, 'certificatesigningrequests'),
      may('create delete get patch update', group.coordination, 'leases'),
      may('get', group.storage, 'volumeattachments'),
      may(read, group.storage, 'csidrivers'),
      may('create delete get patch update', group.storage, 'csinodes'),
      may(read, group.node, 'runtimeclasses'),
      may('get', group.resource, 'resourceclaims'),
      may(readWrite, group.resource, 'resourceslices'),
    ],
  },
  { name: 'system:node-proxier', rules: [may('list watch', group.core, 'endpoints services'), may(read, group.core, 'nodes'), ...reportEvents, may('list watch', group.discovery, 'endpointslices'), may('list watch', group.networking, 'servicecidrs')] },
  { name: 'system:kube-dns', rules: [may('list watch', group.core, 'endpoints services'), may('list watch', group.discovery, 'endpointslices')] },
  { name: 'system:node-bootstrapper', rules: [may(`create ${read}`, group.certificates, 'certificatesigningrequests')] },
  { name: 'system:node-problem-detector', rules: [may('get', group.core, 'nodes'), may('patch', group.core, 'nodes/status'), ...reportEvents] },
  { name: 'system:kube-aggregator', rules: [may(read, group.core, 'endpoints services')] },
  { name: 'system:heapster', rules: [may(read, group.core, 'events namespaces nodes pods'), may(read, 'extensions', 'deployments')] },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [may(`create delete ${read}`, group.core, 'persistentvolumes'), may(`${read} update`, group.core, 'persistentvolumeclaims'), may(read, group.storage, 'storageclasses'), may('watch', group.core, 'events'), ...reportEvents],
  },
]

/** What this system does that is no part of Kubernetes: network policy and cluster DNS beside the service proxy, load balancers on nodes. */
const own: readonly RoleData[] = [
  { name: 'skiff:node-network', rules: [may(read, group.core, 'namespaces pods services'), may(read, group.networking, 'networkpolicies')] },
  { name: 'skiff:load-balancer', rules: [may(read, group.discovery, 'endpointslices')] },
]

const csr = (name: string) => `system:certificates.k8s.io:${name}`
const approver = (name: string, signer: string): RoleData => ({ name: csr(name), rules: [may('approve', group.certificates, 'signers', [`kubernetes.io/${signer}`])] })
const certificates: readonly RoleData[] = [
  { name: csr('certificatesigningrequests:nodeclient'), rules: [may('create', group.certificates, 'certificatesigningrequests/nodeclient')] },
  { name: csr('certificatesigningrequests:selfnodeclient'), rules: [may('create', group.certificates, 'certificatesigningrequests/selfnodeclient')] },
  approver('legacy-unknown-approver', 'legacy-unknown'),
  approver('kube-apiserver-client-approver', 'kube-apiserver-client'),
  approver('kube-apiserver-client-kubelet-approver', 'kube-apiserver-client-kubelet'),
  approver('kubelet-serving-approver', 'kubelet-serving'),
]

export const clusterRoles: readonly RoleData[] = [...everybody, ...people, ...components, ...own, ...certificates, ...controllerRoles]

const bind = (role: string, ...subjects: BindingData['subjects']): BindingData => ({ name: role, role, subjects })

export const clusterRoleBindings: readonly BindingData[] = [
  bind('cluster-admin', members('system:masters')),
  bind('system:monitoring', members('system:monitoring')),
  bind('system:discovery', members('system:authenticated')),
  bind('system:basic-user', members('system:authenticated')),
  bind('system:public-info-viewer', members('system:authenticated'), members('system:unauthenticated')),
  bind('system:service-account-issuer-discovery', members('system:serviceaccounts')),
  bind('system:node-proxier', user('system:kube-proxy'), account('kube-system', 'kube-proxy')),
  bind('system:kube-controller-manager', user('system:kube-controller-manager')),
  bind('system:kube-dns', account('kube-system', 'kube-dns')),
  // Who the API server is to the agents of nodes.
  bind('system:kubelet-api-admin', user('kube-apiserver-kubelet-client')),
  bind('system:kube-scheduler', user('system:kube-scheduler')),
  bind('system:volume-scheduler', user('system:kube-scheduler')),
  bind('system:node'),
  // The agent of a node elsewhere runs its network as this account, by a token that ends with its node.
  bind('skiff:node-network', user('system:kube-proxy'), account('kube-system', 'kube-proxy')),
  // Nodes renew their own certificates; who comes with a bootstrap token for nodes gets the first one.
  { name: 'skiff:node-certificate-rotation', role: csr('certificatesigningrequests:selfnodeclient'), subjects: [members('system:nodes')] },
  { name: 'skiff:node-bootstrap', role: csr('certificatesigningrequests:nodeclient'), subjects: [members('system:bootstrappers:skiff:nodes')] },
  { name: 'skiff:node-bootstrapper', role: 'system:node-bootstrapper', subjects: [members('system:bootstrappers:skiff:nodes')] },
  bind('skiff:load-balancer', account('kube-system', 'service-controller')),
  // Controllers act as their own service accounts; one that shares the controller manager's identity has the same rights.
  ...controllerRoles.map(({ name }) => bind(name, account('kube-system', name.slice('system:controller:'.length)), user('system:kube-controller-manager'))),
]

const authentication = 'extension-apiserver-authentication-reader'

export const roles: readonly RoleData[] = [
  { namespace: 'kube-system', name: authentication, rules: [may(read, group.core, 'configmaps', ['extension-apiserver-authentication'])] },
  { namespace: 'kube-system', name: 'system::leader-locking-kube-controller-manager', rules: [may('watch', group.core, 'configmaps'), may('get update', group.core, 'configmaps', ['kube-controller-manager'])] },
  { namespace: 'kube-system', name: 'system::leader-locking-kube-scheduler', rules: [may('watch', group.core, 'configmaps'), may('get update', group.core, 'configmaps', ['kube-scheduler'])] },
  { namespace: 'kube-system', name: 'system:controller:cloud-provider', rules: [may(`create ${read}`, group.core, 'configmaps')] },
  { namespace: 'kube-system', name: 'system:controller:token-cleaner', rules: [may('delete get list watch', group.core, 'secrets'), ...reportEvents] },
  { namespace: 'kube-system', name: 'system:controller:bootstrap-signer', rules: [may(read, group.core, 'secrets')] },
  { namespace: 'kube-system', name: 'skiff:cluster-info', rules: [may('get', group.core, 'configmaps', ['skiff-cluster'])] },
  { namespace: 'kube-system', name: 'skiff:cluster-dns', rules: [may('create get patch update', group.core, 'services')] },
  { namespace: 'kube-public', name: 'system:controller:bootstrap-signer', rules: [may(read, group.core, 'configmaps'), may('update', group.core, 'configmaps', ['cluster-info']), ...reportEvents] },
]

const bindRole = (namespace: string, role: string, ...subjects: BindingData['subjects']): BindingData => ({ namespace, name: role, role, roleKind: 'Role', subjects })

export const roleBindings: readonly BindingData[] = [
  { ...bindRole('kube-system', authentication, user('system:kube-controller-manager'), user('system:kube-scheduler')), name: `system::${authentication}` },
  bindRole('kube-system', 'system::leader-locking-kube-controller-manager', user('system:kube-controller-manager'), account('kube-system', 'kube-controller-manager')),
  bindRole('kube-system', 'system::leader-locking-kube-scheduler', user('system:kube-scheduler'), account('kube-system', 'kube-scheduler')),
  bindRole('kube-system', 'system:controller:cloud-provider', account('kube-system', 'cloud-provider')),
  bindRole('kube-system', 'system:controller:token-cleaner', account('kube-system', 'token-cleaner')),
  bindRole('kube-system', 'system:controller:bootstrap-signer', account('kube-system', 'bootstrap-signer')),
  bindRole('kube-system', 'skiff:cluster-info', members('system:nodes')),
  bindRole('kube-system', 'skiff:cluster-dns', user('system:kube-proxy'), account('kube-system', 'kube-proxy')),
  bindRole('kube-public', 'system:controller:bootstrap-signer', account('kube-system', 'bootstrap-signer')),
]
