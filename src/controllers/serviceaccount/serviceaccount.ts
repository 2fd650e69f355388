/** What every namespace is given: the service account `default`, and the authority of the API server's certificate. */
import { core } from '../../api/index.ts'
import { isNamespaceTerminating, keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import { isAlreadyExists } from '../../machinery/errors.ts'
import { deepEqual } from '../../machinery/meta.ts'
import type { ControllerContext } from '../shared/context.ts'

const accountName = 'default'
const rootCaName = 'kube-root-ca.crt'
const description = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
}

const isOpen = (namespace: core.Namespace | undefined): boolean => namespace !== undefined && !namespace.metadata.deletionTimestamp && namespace.status.phase !== 'Terminating'

/** Someone else was faster, or the namespace is going: both are as good as done. */
const ignoreRaces = (error: unknown): void => { if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error }

function serviceAccountReconciler(namespaces: Informer<core.Namespace>, accounts: Informer<core.ServiceAccount>, client: Client): Reconciler {
  return {
    async reconcile(name) {
      if (!isOpen(namespaces.get(name)) || accounts.get(`${name}/${accountName}`)) return
      await client.create(core.serviceaccounts, { metadata: { name: accountName, namespace: name } }).catch(ignoreRaces)
    },
  }
}

function rootCaReconciler(namespaces: Informer<core.Namespace>, configMaps: Informer<core.ConfigMap>, client: Client, rootCa: string): Reconciler {
  const data = { 'ca.crt': rootCa }
  return {
    async reconcile(name) {
      if (!isOpen(namespaces.get(name))) return
      const current = configMaps.get(`${name}/${rootCaName}`)
      if (!current) await client.create(core.configmaps, { metadata: { name: rootCaName, namespace: name, annotations: description }, data }).catch(ignoreRaces)
      else if (!deepEqual(current.data, data) || !current.metadata.annotations?.['kubernetes.io/description']) await client.update(core.configmaps, { ...current, data, metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...description } } })
    },
  }
}

/** Starts the ServiceAccount controller. */
export function startServiceAccountController(context: ControllerContext): Controller {
  const namespaces = context.informers.for(core.namespaces)
  const accounts = context.informers.for(core.serviceaccounts)
  const name = 'service-account-controller'
  return runController({
    name,
    reconciler: serviceAccountReconciler(namespaces, accounts, context.client(name)),
    watches: [
      watch(namespaces, (namespace) => [keyOf(namespace)]),
      watch(accounts, (account, { type }) => (type === 'deleted' && account.metadata.name === accountName ? [account.metadata.namespace ?? ''] : [])),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}

/** Publishes `rootCa` (PEM) in every namespace and keeps it as it is. */
export function startRootCaPublisher(context: ControllerContext, rootCa: string): Controller {
  const namespaces = context.informers.for(core.namespaces)
  const configMaps = context.informers.for(core.configmaps, { fieldSelector: `metadata.name=${rootCaName}` })
  const name = 'root-ca-cert-publisher'
  return runController({
    name,
    reconciler: rootCaReconciler(namespaces, configMaps, context.client(name), rootCa),
    watches: [
      watch(namespaces, (namespace) => [keyOf(namespace)]),
      watch(configMaps, (configMap) => [configMap.metadata.namespace ?? '']),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
