import { expect, it } from 'vitest'
import { parseArguments } from './apiserver-arguments.ts'
import { httpLimitsOf } from './http-limits.ts'

it('takes the bounds of requests from the flags of kube-apiserver', () => {
  expect(httpLimitsOf(undefined)).toEqual({ requestTimeout: undefined, shutdownDelay: undefined })
  expect(httpLimitsOf(parseArguments(['request-timeout=2m', 'http2-max-streams-per-connection=250', 'shutdown-delay-duration=5s'])))
    .toEqual({ requestTimeout: 120_000, shutdownDelay: 5000, limits: { streams: 250 } })
  expect(httpLimitsOf(parseArguments(['min-request-timeout=60'])).minRequestTimeout).toBe(60)
  expect(() => httpLimitsOf(parseArguments(['min-request-timeout=0']))).toThrow('min-request-timeout must be a second or more')
  expect(httpLimitsOf(parseArguments(['http2-max-streams-per-connection=0'])).limits).toBeUndefined()
  expect(httpLimitsOf(parseArguments(['goaway-chance=0.001'])).limits).toEqual({ goawayChance: 0.001 })
  for (const chance of ['0.03', '-1', 'often']) expect(() => httpLimitsOf(parseArguments([`goaway-chance=${chance}`]))).toThrow('goaway-chance must be a number from 0 to 0.02')
  expect(() => httpLimitsOf(parseArguments(['request-timeout=10ms']))).toThrow('request-timeout must be a second or more')
})
