/** The public keys of an OpenID Connect issuer: found by its discovery document, remembered, asked for again when a token names one that is not known. */
import https from 'node:https'
import { createLocalJWKSet, errors, type CompactVerifyGetKey, type JSONWebKeySet } from 'jose'
import type { Clock } from '../../../machinery/clock.ts'
import { readJson, readText } from '../../remote.ts'
import type { JwtMetrics } from './metrics.ts'

export interface IssuerPlace {
  /** The `iss` of its tokens, an https URL. */
  readonly url: string
  /** Where its discovery document is, when not below `url`. */
  readonly discoveryUrl?: string | undefined
  /** PEM; the system's authorities when left out. */
  readonly certificateAuthority?: string | undefined
}

/** How long one request may take. */
const requestTimeout = 10_000
/** Tokens that name unknown keys make no more requests than this lets through. */
const shortestPause = 10_000
/** Keys that the issuer took back must not hold for ever. */
const oldest = 3_600_000

/** What gives `compactVerify` the key of a token. Nobody but the issuer is asked, whatever a token says about where its key is. */
export function createIssuerKeys(place: IssuerPlace, clock: Clock, metrics?: Pick<JwtMetrics, 'fetched'>): CompactVerifyGetKey {
  let keys: { readonly find: CompactVerifyGetKey; readonly at: number } | undefined
  let fetching: Promise<void> | undefined
  let asked = -Infinity

  async function fetchKeys(): Promise<void> {
    try {
      const text = await askForKeys()
      keys = { find: createLocalJWKSet(parsed(text) as JSONWebKeySet), at: clock.now() }
      metrics?.fetched(place.url, text)
    } catch (error) {
      metrics?.fetched(place.url, undefined)
      throw error
    }
  }
  async function askForKeys(): Promise<string> {
    const where = place.discoveryUrl ?? `${place.url.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = (await getJson(where, place.certificateAuthority)) as { readonly issuer?: unknown; readonly jwks_uri?: unknown }
    if (document.issuer !== place.url) throw new Error(`the issuer in ${where} is ${JSON.stringify(document.issuer)}, not ${JSON.stringify(place.url)}`)
    const uri = document.jwks_uri
    if (typeof uri !== 'string' || !URL.canParse(uri) || new URL(uri).protocol !== 'https:') throw new Error(`the jwks_uri in ${where} is no https URL`)
    return readText(await get(uri, place.certificateAuthority, { accept: 'application/json' }), uri)
  }
  /** Asks the issuer, unless that was done a moment ago; several at once wait for one answer. */
  function refresh(): Promise<void> {
    if (fetching) return fetching
    if (clock.now() - asked < shortestPause) return Promise.resolve()
    asked = clock.now()
    fetching = fetchKeys().finally(() => (fetching = undefined))
    return fetching
  }

  return async (header, token) => {
    if (!keys) await refresh()
    else if (clock.now() - keys.at > oldest) await refresh().catch(() => undefined) // an issuer that is away for a while: its last keys hold on
    if (!keys) throw new Error(`the keys of ${place.url} are not known yet`)
    try {
      return await keys.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await refresh()
      return keys.find(header, token)
    }
  }
}

/** Throws an `Error` for what is no JSON; its text says nothing of what is there. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error('the keys are no JSON', { cause: error })
  }
}

/** A document by GET. Redirects are refused: whom to trust is configured. */
const getJson = async (url: string, ca: string | undefined): Promise<unknown> => readJson(await get(url, ca, { accept: 'application/json' }), url)

/** A text by GET from an https URL, trusting `ca` (PEM; the system's authorities when undefined). Throws for what is too large, and for codes but 200. */
export const getText = async (url: string, ca: string | undefined, headers: Readonly<Record<string, string>>): Promise<string> => (await readText(await get(url, ca, headers), url)).trim()

function get(url: string, ca: string | undefined, headers: Readonly<Record<string, string>>): Promise<import('node:http').IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>()
  const request = https.get(url, { ...(ca ? { ca } : {}), agent: false, headers, signal: AbortSignal.timeout(requestTimeout), minVersion: 'TLSv1.2' }, resolve)
  request.on('error', reject)
  return promise
}
