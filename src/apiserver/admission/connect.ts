/** Connections (`exec`, `attach`, `portforward`, `proxy`) through admission: the object is what was asked for in the query, as Kubernetes has it. */
import { core, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { decodeObject } from '../../machinery/json.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { isTrue } from '../http/request-info.ts'
import type { ApiRequest } from '../http/request.ts'
import type { EdgeRoutes } from '../options.ts'
import type { AdmissionChain } from './admission.ts'

interface Connection {
  readonly resource: Resource
  readonly type: StructType<ApiObject>
  options(request: ApiRequest): object
  /** What of the request says the same as changed options. */
  asked(request: ApiRequest, options: Options): Partial<Pick<ApiRequest, 'query' | 'info'>>
}

/** What all kinds of options have between them. */
interface Options { readonly path?: string; readonly container?: string; readonly command?: readonly string[]; readonly ports?: readonly number[]; readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean; readonly tty?: boolean }

const connection = (resource: unknown, type: unknown, rest: Pick<Connection, 'options' | 'asked'>): Connection => ({ resource: resource as Resource, type: type as StructType<ApiObject>, ...rest })

/** A path as its target reads it: nothing hides behind escapes. */
const plain = (rest: string): string => rest.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'))
const proxied: Pick<Connection, 'options' | 'asked'> = {
  options: ({ info }) => ({ path: `/${plain(info.rest)}` }),
  asked: ({ info }, { path = '' }) => ({ info: { ...info, rest: path.replace(/^\//, '').split('/').map(encodeURIComponent).join('/') } }),
}

const flags = ['stdin', 'stdout', 'stderr', 'tty'] as const
const streams = ({ query }: ApiRequest): object => ({
  ...Object.fromEntries(flags.map((name) => [name, isTrue(query.get(name))])),
  ...(query.get('container') ? { container: query.get('container') } : {}),
})
const streamed = (options: Options): { readonly query: URLSearchParams } => {
  const query = new URLSearchParams()
  for (const name of flags) if (options[name]) query.set(name, 'true')
  if (options.container) query.set('container', options.container)
  for (const word of options.command ?? []) query.append('command', word)
  return { query }
}

const connections: ReadonlyMap<string, Connection> = new Map([
  ['pods/exec', connection(core.pods, core.PodExecOptions, { options: (request) => ({ ...streams(request), command: request.query.getAll('command') }), asked: (_, options) => streamed(options) })],
  ['pods/attach', connection(core.pods, core.PodAttachOptions, { options: streams, asked: (_, options) => streamed(options) })],
  ['pods/portforward', connection(core.pods, core.PodPortForwardOptions, {
    options: ({ query }) => ({ ports: query.getAll('ports').map(Number).filter(Number.isInteger) }),
    asked: (_, { ports = [] }) => ({ query: new URLSearchParams(ports.map((port): [string, string] => ['ports', String(port)])) }),
  })],
  ['pods/proxy', connection(core.pods, core.PodProxyOptions, proxied)],
  ['services/proxy', connection(core.services, core.ServiceProxyOptions, proxied)],
  ['nodes/proxy', connection(core.nodes, core.NodeProxyOptions, proxied)],
])

type Routes = Pick<EdgeRoutes, 'subresource' | 'upgrade'>

/** The routes, with admission before what connects. Handlers throw its `ApiError` before anything is connected. */
export function admitConnections({ subresource, upgrade }: Routes, admission: AdmissionChain, clock: Clock): Routes {
  /** The request to go on with: with other options, if admission changed them. */
  const admit = async (request: ApiRequest, { resource, type, options, asked }: Connection): Promise<ApiRequest> => {
    const { info, user, trail } = request
    const { namespace, name } = info
    const object = decodeObject(type, { kind: type.name, apiVersion: 'v1', ...options(request) }).object
    const context = {
      user, verb: info.verb, subresource: info.subresource, namespace, name, dryRun: false, now: clock.now(),
      // There is no answer with headers to put a warning into.
      warn: () => undefined,
      annotate: (key: string, value: string, from?: 'Request') => trail?.annotate(key, value, from),
      caller: request,
    }
    const attributes = { operation: 'CONNECT', resource, type, subresource: info.subresource, namespace, name, object, old: undefined, options: {}, context } as const
    const admitted = (await admission.mutate(attributes)) ?? object
    await admission.validate({ ...attributes, object: admitted })
    return admitted === object || deepEqual(admitted, object) ? request : changed(request, asked(request, admitted as Options))
  }
  return {
    ...(subresource ? {
      subresource(groupResource, name) {
        const handler = subresource(groupResource, name)
        const found = name === 'proxy' ? connections.get(`${groupResource}/${name}`) : undefined
        return handler && found ? async (request, response) => handler(await admit(request, found), response) : handler
      },
    } satisfies Routes : {}),
    ...(upgrade ? {
      upgrade(groupResource, name) {
        const handler = upgrade(groupResource, name)
        const found = connections.get(`${groupResource}/${name}`)
        return handler && found ? async (request, socket, head) => handler(await admit(request, found), socket, head) : handler
      },
    } satisfies Routes : {}),
  }
}

/** The same request with another query or path. */
const changed = (request: ApiRequest, parts: Partial<Pick<ApiRequest, 'query' | 'info'>>): ApiRequest => {
  const { info, method, query, headers, user, raw, auditId, early, trail } = request
  return {
    info, method, query, headers, user, raw, auditId, early, trail, ...parts,
    get sent() { return request.sent },
    set sent(bytes) { request.sent = bytes },
    get signal() { return request.signal },
    get gone() { return request.gone },
  }
}
