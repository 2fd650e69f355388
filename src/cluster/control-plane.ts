/** The control plane in one process: API server, the objects every cluster has, controllers, scheduler. */
import { createApiServer } from '../apiserver/server.ts'
import type { ApiServer } from '../apiserver/options.ts'
import { createEdges } from '../apiserver/edges.ts'
import { startBootstrap } from '../apiserver/bootstrap/bootstrap.ts'
import { core } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import { managerName, startControllers } from '../controllers/index.ts'
import { isNotFound } from '../machinery/errors.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { startLoadBalancer } from '../network/index.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { startCompactor } from '../store/compactor.ts'
import type { Store } from '../store/store.ts'
import type { Pki } from './pki.ts'
import type { Settings } from './settings.ts'
import { clusterInfo } from './cluster-info.ts'

export interface ControlPlaneOptions {
  readonly settings: Settings
  readonly pki: Pki
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Where the API server listens; every address when left out. */
  readonly address?: string
  readonly freeze?: boolean
}

export interface ControlPlane extends Component {
  readonly api: ApiServer
  /** A client in this process that acts as the component of that name. */
  clientFor(component: string, groups?: readonly string[]): Client
}

/** A load balancer must not take the host's own door. */
const sshPort = 22

/** Starts the control plane; resolves once the API answers and the loops run. The store stays the caller's. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, pki, clock, log } = options
  const api = await createApiServer({
    store: options.store,
    clock,
    log: log.child({ component: 'apiserver' }),
    tls: { key: pki.server.key, cert: pki.server.cert, clientCa: pki.ca.cert },
    address: options.address ?? '::',
    port: settings.port,
    serviceCidr: settings.serviceCidr,
    nodePorts: settings.nodePorts,
    ...(options.freeze === undefined ? {} : { freeze: options.freeze }),
    edges: createEdges({
      serverAddress: () => `${settings.nodeAddress}:${settings.port}`,
      kubeletTls: () => ({ ...pki.kubeletClient, ca: pki.ca.cert }),
      serviceAccounts: { signingKey: pki.serviceAccountKey, issuer: `https://kubernetes.default.svc.${settings.clusterDomain}` },
    }),
  })
  await api.listen()
  const ended = new AbortController()
  const clientFor = (component: string, groups: readonly string[] = []) =>
    api.clientFor({ name: component, groups: [...groups, 'system:authenticated'] })

  const running: Component[] = [startCompactor({ store: options.store, clock, log: log.child({ component: 'store' }) })]
  running.push(await startBootstrap({ client: api.client, clock, log: log.child({ component: 'bootstrap' }), place: () => ({ address: settings.nodeAddress, port: settings.port }), serviceCidr: settings.serviceCidr }))
  await publish(api.client, settings)
  running.push(
    ...(await Promise.all([
      startControllers({
        client: (name) => (name === managerName ? clientFor('system:kube-controller-manager') : clientFor(`system:serviceaccount:kube-system:${name}`, ['system:serviceaccounts', 'system:serviceaccounts:kube-system'])),
        clock,
        log: log.child({ component: 'controllers' }),
        options: { clusterCidr: settings.clusterCidr, rootCa: pki.ca.cert },
      }),
      startScheduler({ client: clientFor('system:kube-scheduler'), clock, log: log.child({ component: 'scheduler' }) }),
    ])),
  )
  running.push(
    startLoadBalancer({
      client: clientFor('system:serviceaccount:kube-system:service-controller'),
      clock,
      log: log.child({ component: 'load-balancer' }),
      reservedPorts: [settings.port, settings.kubeletPort, sshPort],
      signal: ended.signal,
    }),
  )
  return {
    api,
    clientFor,
    async stop() {
      ended.abort()
      await Promise.all(running.map((component) => component.stop()))
      await api.close()
    },
  }
}

/** Writes down, in the cluster itself, what a node elsewhere must know of it. */
async function publish(client: Client, settings: Settings): Promise<void> {
  const { clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts } = settings
  const data = { settings: JSON.stringify({ clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts }) }
  const { name, namespace } = clusterInfo
  const there = await client.get(core.configmaps, name, { namespace }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (there === undefined) await client.create(core.configmaps, { metadata: { name, namespace }, data })
  else if (there.data?.['settings'] !== data.settings) await client.update(core.configmaps, { ...there, data })
}
