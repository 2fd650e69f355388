/** `pods/log`, `exec`, `attach`, `portforward`: answered by the agent of the node that the pod runs on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { core } from '../../api/index.ts'
import { badRequest, methodNotAllowed, notFound } from '../../machinery/errors.ts'
import type { ApiRequest, Handler, UpgradeHandler } from '../http/request.ts'
import type { Lister } from '../options.ts'
import { sendText } from '../reply.ts'
import { chooseContainer, logParameters, streamParameters } from './containers.ts'
import { errorOf, forwardUpgrade, send, stream } from './forward.ts'
import type { Kubelets } from './kubelet.ts'
import { logOverSocket } from './log-socket.ts'

export interface PodStreams {
  readonly log: Handler
  /** By subresource. */
  readonly upgrades: Readonly<Record<string, UpgradeHandler>>
  /** Answers to those who ask for exec and the like without an upgrade. */
  readonly notUpgraded: Handler
}

/** Throws 403 unless the user may `create` on what the request is about. */
export type MayCreate = (request: ApiRequest) => Promise<void>

/**
 * `mayCreate` is asked on requests that come with GET, as WebSockets do: running something in a pod takes the right to create,
 * whichever method the protocol uses. Other methods than GET and POST are refused.
 */
export function createPodStreams(pods: Lister<core.Pod>, kubelets: Kubelets, mayCreate: MayCreate): PodStreams {
  const find = ({ info }: ApiRequest): core.Pod => {
    const pod = pods.get(info.namespace, info.name)
    if (!pod) throw notFound(core.pods, info.name)
    return pod
  }
  const pathOf = (kind: string, { metadata }: core.Pod, container = '') =>
    [`/${kind}`, metadata.namespace, metadata.name, ...(container ? [container] : [])].map((part, i) => (i === 0 ? part : encodeURIComponent(part ?? ''))).join('/')
  const nodeOf = (pod: core.Pod): string => {
    if (!pod.spec.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
    return pod.spec.nodeName
  }
  const checkMethod = async (request: ApiRequest) => {
    if (request.method === 'GET') await mayCreate(request)
    else if (request.method !== 'POST') throw methodNotAllowed()
  }
  const inContainer = (kind: 'exec' | 'attach'): UpgradeHandler => async (request, socket, head) => {
    await checkMethod(request)
    const pod = find(request)
    const container = chooseContainer(pod, request.query.get('container') ?? '')
    if (kind === 'exec' && request.query.getAll('command').length === 0) throw badRequest('you must specify at least 1 command for the container')
    await forwardUpgrade(request, socket, head, kubelets.destination(nodeOf(pod), pathOf(kind, pod, container), streamParameters(request.query)))
  }
  /** The log as the node sends it. A pod that nobody runs yet has none: undefined. */
  const openLog = async (request: ApiRequest): Promise<IncomingMessage | undefined> => {
    const parameters = logParameters(request.info.name, request.query)
    const pod = find(request)
    const container = chooseContainer(pod, request.query.get('container') ?? '')
    if (!pod.spec.nodeName) return undefined
    const answer = await send(request, kubelets.destination(pod.spec.nodeName, pathOf('containerLogs', pod, container), parameters), { accept: '*/*' }, false)
    if (answer.statusCode !== 200) throw await errorOf(answer)
    return answer
  }

  return {
    async log(request, response) {
      if (request.info.verb !== 'get') throw methodNotAllowed()
      const answer = await openLog(request)
      if (!answer) return sendText(response, 200, '', 'text/plain')
      const back = response as ServerResponse
      back.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
      await stream(answer, back, request.signal)
    },
    upgrades: {
      async log(request, socket, head) {
        if (request.info.verb !== 'get') throw methodNotAllowed()
        await logOverSocket(request, socket, head, () => openLog(request))
      },
      exec: inContainer('exec'),
      attach: inContainer('attach'),
      async portforward(request, socket, head) {
        await checkMethod(request)
        const pod = find(request)
        const ports = request.query.getAll('ports')
        const query = ports.length > 0 ? new URLSearchParams({ port: ports.join(',') }) : undefined
        await forwardUpgrade(request, socket, head, kubelets.destination(nodeOf(pod), pathOf('portForward', pod), query))
      },
    },
    async notUpgraded(request) {
      await checkMethod(request)
      const pod = find(request)
      if (request.info.subresource !== 'portforward') chooseContainer(pod, request.query.get('container') ?? '')
      nodeOf(pod)
      throw badRequest('Upgrade request required')
    },
  }
}
