/** The control plane in one process: API server, the objects every cluster has, controllers, scheduler. */
import type { ApiServer } from '../apiserver/options.ts'
import { core } from '../api/index.ts'
import type { HealthCheck } from '../apiserver/health/health.ts'
import type { Client } from '../client/client.ts'
import { managerName, startControllers } from '../controllers/index.ts'
import { isNotFound } from '../machinery/errors.ts'
import type { Component } from '../machinery/log.ts'
import { startLoadBalancer } from '../network/index.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { startApi } from './api.ts'
import type { ApiOptions } from './api.ts'
import type { Settings } from './settings.ts'
import { clusterInfo } from './cluster-info.ts'

export type ControlPlaneOptions = Omit<ApiOptions, 'components'>

export interface ControlPlane extends Component {
  readonly api: ApiServer
  /** A client in this process that acts as the component of that name. */
  clientFor(component: string, groups?: readonly string[]): Client
}

/** A load balancer must not take the host's own ports. */
const sshPort = 22

/** Starts the control plane; resolves once the API answers and the controllers run. The caller keeps the store, and closes it. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, pki, clock, log } = options
  // They run in this process, or it has not come this far.
  let components: readonly HealthCheck[] = []
  const plane = await startApi({ ...options, components: () => components })
  const { server: api, clientFor } = plane
  const ended = new AbortController()
  const running: Component[] = []
  await publish(api.client, settings)
  running.push(
    ...(await Promise.all([
      startControllers({
        client: (name) => (name === managerName ? clientFor('system:kube-controller-manager') : clientFor(`system:serviceaccount:kube-system:${name}`, ['system:serviceaccounts', 'system:serviceaccounts:kube-system'])),
        clock,
        log: log.child({ component: 'controllers' }),
        options: { clusterCidr: settings.clusterCidr, rootCa: pki.ca.cert, signer: pki.ca, resources: plane.resources, undiscovered: plane.undiscovered },
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
  components = ['scheduler', 'controller-manager'].map((name) => ({ name, check: () => undefined }))
  return {
    api,
    clientFor,
    async stop() {
      components = []
      ended.abort()
      await Promise.all(running.map((component) => component.stop()))
      await plane.stop()
    },
  }
}

/** Publishes, in the cluster itself, what a node on another machine must know of it. */
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
