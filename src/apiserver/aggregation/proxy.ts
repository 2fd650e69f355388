/** Passes requests for other servers' group versions on to them, with who asks in headers that they can believe. */
import type { OutgoingHttpHeaders } from 'node:http'
import { ApiError } from '../../machinery/errors.ts'
import type { Logger } from '../../machinery/log.ts'
import type { ApiRequest, ApiResponse, Handler, UpgradeHandler } from '../http/request.ts'
import { sendText } from '../reply.ts'
import { forward, forwardUpgrade, type Destination } from '../streaming/forward.ts'
import { proxyHeaders } from '../streaming/headers.ts'
import { identityHeaders, type Connections } from './front-proxy.ts'
import type { Remote } from './remotes.ts'

/** What clients of an unavailable server are told, in Kubernetes's words and as plain text. */
const unavailableText = 'service unavailable'

/** The path and query as they were sent. */
const pathOf = ({ raw }: ApiRequest): string => raw.url ?? '/'

function locate(connections: Connections, remote: Remote, path: string, log: Logger): Destination {
  if (!remote.available) throw new ApiError(503, 'ServiceUnavailable', unavailableText)
  try {
    return connections.destination(remote, path)
  } catch (error) {
    log.warn({ apiService: remote.name, error: (error as Error).message }, 'the server of an API service cannot be found')
    throw new ApiError(503, 'ServiceUnavailable', unavailableText)
  }
}

/** The request keeps its name: it is the same one in both servers' audit logs. */
const headersFor = (request: ApiRequest): OutgoingHttpHeaders => ({ ...proxyHeaders(request), 'audit-id': request.auditId, ...identityHeaders(request.user) })

/** The handler of requests for a remote's group version. Failures of the other side are 503 in plain text, which clients word by themselves. */
export function proxyHandler(connections: Connections, remote: Remote, log: Logger): Handler {
  return async (request: ApiRequest, response: ApiResponse) => {
    try {
      await forward(request, response, locate(connections, remote, pathOf(request), log), { headers: headersFor(request) })
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 503 || response.headersSent) throw error
      sendText(response, 503, `${error.message}\n`, 'text/plain; charset=utf-8', { 'x-content-type-options': 'nosniff' })
    }
  }
}

/** The same for connections that are taken over: exec-like subresources of extension servers. */
export function proxyUpgrade(connections: Connections, remote: Remote, log: Logger): UpgradeHandler {
  return async (request, socket, head) => forwardUpgrade(request, socket, head, locate(connections, remote, pathOf(request), log), headersFor(request))
}
