/** Subresources that speak to nodes and pods, by resource and name. */
import { core, discovery } from '../../api/index.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Handler, UpgradeHandler } from '../http/request.ts'
import type { ServerEnvironment } from '../options.ts'
import { createKubelets, type KubeletTls } from './kubelet.ts'
import { createPodStreams, type MayCreate } from './pods.ts'
import { createProxies } from './proxy.ts'

export interface Streaming {
  subresource(groupResource: string, subresource: string): Handler | undefined
  upgrade(groupResource: string, subresource: string): UpgradeHandler | undefined
}

/** `tls` is asked for on the first connection to a node. */
export function createStreaming(env: Pick<ServerEnvironment, 'lister' | 'tunnels'>, tls: () => KubeletTls, authorizer: Authorizer): Streaming {
  const nodes = env.lister(core.nodes)
  const pods = env.lister(core.pods)
  const kubelets = createKubelets(nodes, tls)
  const mayCreate: MayCreate = ({ user, info }) => authorizer.authorize(user, { ...info, verb: 'create' })
  const streams = createPodStreams(pods, kubelets, mayCreate)
  const proxies = createProxies({ nodes, pods, services: env.lister(core.services), slices: env.lister(discovery.endpointslices), kubelets, tunnels: env.tunnels })
  const handlers: Readonly<Record<string, Handler>> = {
    'pods/log': streams.log,
    'pods/exec': streams.notUpgraded,
    'pods/attach': streams.notUpgraded,
    'pods/portforward': streams.notUpgraded,
    'nodes/proxy': proxies.handler('nodes'),
    'pods/proxy': proxies.handler('pods'),
    'services/proxy': proxies.handler('services'),
  }
  const upgrades: Readonly<Record<string, UpgradeHandler>> = {
    ...Object.fromEntries(Object.entries(streams.upgrades).map(([name, handler]) => [`pods/${name}`, handler])),
    // A connection into a node may run something there: it takes the right to create, as exec does, whatever the method.
    'nodes/proxy': async (request, socket, head) => {
      if (request.method !== 'POST') await mayCreate(request)
      return proxies.upgrade('nodes')(request, socket, head)
    },
    'pods/proxy': proxies.upgrade('pods'),
    'services/proxy': proxies.upgrade('services'),
  }
  return {
    subresource: (groupResource, name) => handlers[`${groupResource}/${name}`],
    upgrade: (groupResource, name) => upgrades[`${groupResource}/${name}`],
  }
}
