/** Connections (`exec`, `attach`, `portforward`, `proxy`) through admission: the object is what was asked for in the query, as Kubernetes has it. */
import { core, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { decodeObject } from '../../machinery/json.ts'
import type { ApiRequest } from '../http/request.ts'
import type { EdgeRoutes } from '../options.ts'
import type { AdmissionChain } from './admission.ts'

interface Connection {
  readonly resource: Resource
  readonly type: StructType<ApiObject>
  options(request: ApiRequest): object
}

const connection = (resource: unknown, type: unknown, options: Connection['options']): Connection => ({ resource: resource as Resource, type: type as StructType<ApiObject>, options })
const path = ({ info }: ApiRequest): object => ({ path: `/${info.rest}` })

/** What a client may leave out, with what it means then. */
const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean => (query.has(name) ? ['true', '1', ''].includes(query.get(name) ?? '') : otherwise)
const streams = ({ query }: ApiRequest): object => ({
  stdin: flag(query, 'stdin', false), stdout: flag(query, 'stdout', true), stderr: flag(query, 'stderr', true), tty: flag(query, 'tty', false),
  ...(query.get('container') ? { container: query.get('container') } : {}),
})

const connections: ReadonlyMap<string, Connection> = new Map([
  ['pods/exec', connection(core.pods, core.PodExecOptions, (request) => ({ ...streams(request), command: request.query.getAll('command') }))],
  ['pods/attach', connection(core.pods, core.PodAttachOptions, streams)],
  ['pods/portforward', connection(core.pods, core.PodPortForwardOptions, ({ query }) => ({ ports: query.getAll('ports').map(Number).filter(Number.isInteger) }))],
  ['pods/proxy', connection(core.pods, core.PodProxyOptions, path)],
  ['services/proxy', connection(core.services, core.ServiceProxyOptions, path)],
  ['nodes/proxy', connection(core.nodes, core.NodeProxyOptions, path)],
])

type Routes = Pick<EdgeRoutes, 'subresource' | 'upgrade'>

/** The routes, with admission before what connects. Handlers throw its `ApiError` before anything is connected. */
export function admitConnections({ subresource, upgrade }: Routes, admission: AdmissionChain, clock: Clock): Routes {
  const admit = async (request: ApiRequest, { resource, type, options }: Connection): Promise<void> => {
    const { info, user, trail } = request
    const { namespace, name } = info
    const object = decodeObject(type, { kind: type.name, apiVersion: 'v1', ...options(request) }).object
    const context = {
      user, verb: info.verb, subresource: info.subresource, namespace, name, dryRun: false, now: clock.now(),
      // There is no answer with headers to put a warning into.
      warn: () => undefined,
      annotate: (key: string, value: string) => trail?.annotate(key, value),
    }
    const attributes = { operation: 'CONNECT', resource, type, subresource: info.subresource, namespace, name, object, old: undefined, options: {}, context } as const
    await admission.validate({ ...attributes, object: (await admission.mutate(attributes)) ?? object })
  }
  return {
    ...(subresource ? {
      subresource(groupResource, name) {
        const handler = subresource(groupResource, name)
        const found = name === 'proxy' ? connections.get(`${groupResource}/${name}`) : undefined
        return handler && found ? async (request, response) => { await admit(request, found); return handler(request, response) } : handler
      },
    } satisfies Routes : {}),
    ...(upgrade ? {
      upgrade(groupResource, name) {
        const handler = upgrade(groupResource, name)
        const found = connections.get(`${groupResource}/${name}`)
        return handler && found ? async (request, socket, head) => { await admit(request, found); return handler(request, socket, head) } : handler
      },
    } satisfies Routes : {}),
  }
}
