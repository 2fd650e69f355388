/** Renews the cluster's certificates while it runs: those about to expire are replaced, and used without a restart. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import type { KeyPair } from './certificate.ts'
import { ensurePki, type Pki } from './pki.ts'
import type { Settings } from './settings.ts'

const hour = 3_600_000
/** How often they are checked. */
const every = 12 * hour
/** An authority is not renewed: everything in the cluster trusts this very one. Warnings come long before it expires. */
const authorityWarning = 365 * 24 * hour

export interface KeptPki extends Pki, Component {
  onRenewal(listener: () => void): void
}

const leaves = ['server', 'kubeletClient', 'admin', 'node', 'frontProxyClient'] as const

/** Milliseconds since the epoch. */
export const endOf = ({ cert }: Pick<KeyPair, 'cert'>): number => Date.parse(new X509Certificate(cert).validTo)

export interface Expiry {
  /** RFC 3339: when the first of the renewed certificates expires. */
  readonly certificates: string
  /** RFC 3339: when the authority expires, which is not renewed. */
  readonly authority?: string
}

/** When the certificates in the directory expire; undefined when there are none. A node elsewhere has no authority there. */
export function expiryOf(dir: string): Expiry | undefined {
  const files = existsSync(dir) ? readdirSync(dir).filter((file) => /\.(crt|pem)$/.test(file)) : []
  const until = (file: string) => {
    const text = readFileSync(join(dir, file), 'utf8')
    return endOf({ cert: text.slice(Math.max(0, text.indexOf('-----BEGIN CERTIFICATE-----'))) })
  }
  const authorities = files.filter((file) => /^(front-proxy-)?ca\.crt$/.test(file))
  const others = files.filter((file) => !authorities.includes(file))
  if (others.length === 0) return undefined
  const first = (list: readonly string[]) => new Date(Math.min(...list.map(until))).toISOString()
  return { certificates: first(others), ...(authorities.length > 0 ? { authority: first(authorities) } : {}) }
}

/** The cluster's certificates, always current: a renewal changes its fields, and `onRenewal` says when. */
export async function keepPki(dir: string, settings: Settings, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Promise<KeptPki> {
  let current = ensurePki(dir, settings, clock.now())
  const listeners: (() => void)[] = []
  const stopped = new AbortController()

  const warn = (): void => {
    for (const [name, authority] of [['the cluster', current.ca], ['front proxies', current.frontProxyCa]] as const) {
      const left = endOf(authority) - clock.now()
      if (left < authorityWarning) log.warn({ days: Math.floor(left / (24 * hour)) }, `the authority of ${name} ends soon: make the cluster anew before, or nobody will be let in`)
    }
  }
  const look = async (): Promise<void> => {
    const next = ensurePki(dir, settings, clock.now())
    const renewed = leaves.filter((name) => next[name].cert !== current[name].cert)
    warn()
    if (renewed.length === 0) return
    current = next
    log.info({ renewed, until: new Date(Math.min(...leaves.map((name) => endOf(next[name])))).toISOString() }, 'certificates were renewed')
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        log.error({ error: (error as Error).message }, 'a renewed certificate could not be taken up everywhere')
      }
    }
  }
  const run = async (): Promise<void> => {
    for (;;) {
      const slept = await clock.sleep(every, stopped.signal).then(() => true, () => false)
      if (!slept) return
      await look().catch((error: Error) => log.error({ error: error.message }, 'the certificates could not be renewed; the next attempt is in 12 hours'))
    }
  }
  warn()
  void run()
  return {
    get ca() { return current.ca },
    get server() { return current.server },
    get kubeletClient() { return current.kubeletClient },
    get admin() { return current.admin },
    get node() { return current.node },
    get serviceAccountKey() { return current.serviceAccountKey },
    get frontProxyCa() { return current.frontProxyCa },
    get frontProxyClient() { return current.frontProxyClient },
    onRenewal: (listener) => void listeners.push(listener),
    async stop() { stopped.abort() },
  }
}
