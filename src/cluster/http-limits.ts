/** The flags that bound what a client takes of the server. */
import type { ApiServerOptions } from '../apiserver/options.ts'
import { argumentDuration, argumentNumber, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

/** What `request-timeout`, `http2-max-streams-per-connection` (0: the default) and `shutdown-delay-duration` say. Throws `UserError` for a time in which nothing could be answered. */
export function httpLimitsOf(all: ApiServerArguments | undefined): Pick<ApiServerOptions, 'limits' | 'requestTimeout' | 'shutdownDelay'> {
  const requestTimeout = argumentDuration(all, 'request-timeout')
  if (requestTimeout !== undefined && requestTimeout < 1000) throw new UserError('request-timeout must be a second or more')
  const streams = argumentNumber(all, 'http2-max-streams-per-connection')
  return { requestTimeout, shutdownDelay: argumentDuration(all, 'shutdown-delay-duration'), ...(streams ? { limits: { streams } } : {}) }
}
