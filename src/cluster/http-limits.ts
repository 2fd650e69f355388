/** The flags that limit what one client may use of the server. */
import type { ApiServerOptions } from '../apiserver/options.ts'
import { argumentDuration, argumentNumber, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

/** More would make clients do little but open connections. */
const mostGoaway = 0.02

/**
 * What `request-timeout`, `min-request-timeout`, `http2-max-streams-per-connection` (0: the default), `goaway-chance` and `shutdown-delay-duration` say. Throws `UserError`
 * for a time too short to answer anything, and for a chance out of range.
 */
export function httpLimitsOf(all: ApiServerArguments | undefined): Pick<ApiServerOptions, 'limits' | 'requestTimeout' | 'minRequestTimeout' | 'shutdownDelay'> {
  const requestTimeout = argumentDuration(all, 'request-timeout')
  if (requestTimeout !== undefined && requestTimeout < 1000) throw new UserError('request-timeout must be a second or more')
  const minRequestTimeout = argumentNumber(all, 'min-request-timeout')
  if (minRequestTimeout === 0) throw new UserError('min-request-timeout must be a second or more')
  const streams = argumentNumber(all, 'http2-max-streams-per-connection')
  const goawayChance = all?.['goaway-chance'] === undefined ? 0 : Number(all['goaway-chance'])
  if (!(goawayChance >= 0 && goawayChance <= mostGoaway)) throw new UserError(`goaway-chance must be a number from 0 to ${mostGoaway}`)
  const limits = { ...(streams ? { streams } : {}), ...(goawayChance ? { goawayChance } : {}) }
  return { requestTimeout, ...(minRequestTimeout === undefined ? {} : { minRequestTimeout }), shutdownDelay: argumentDuration(all, 'shutdown-delay-duration'), ...(Object.keys(limits).length > 0 ? { limits } : {}) }
}
