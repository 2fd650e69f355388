/** What a cluster encrypts, and with what: the cluster's own keys for secrets, and a configuration file for everything it speaks of. */
import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { createReloads, type ReloadCounts } from '../../machinery/reloads.ts'
import { parseEncryption, type Configured, type KmsOptions } from './configuration.ts'
import type { Encryption } from './encrypted-store.ts'
import { ensureKeys, readKeys, type Key } from './keyring.ts'
import { createEnvelope, type Envelope } from './kms/envelope.ts'
import { kmsService } from './kms/service.ts'
import { identity, transformerOf, type Observe, type Provider } from './provider.ts'
import { createTally, type EncryptionTally } from './tally.ts'

export interface EncryptionOptions {
  /** Where the cluster's own keys are. */
  readonly directory: string
  /** The configuration file, if there is one. */
  readonly configuration?: ConfigurationSource | undefined
  readonly clock: Clock
  readonly log: Logger
}

export interface ConfigurationSource {
  readonly path: string
  /** The text that the file has now. */
  read(): string
  /** It is read again when it changes. */
  readonly automaticReload: boolean
}

export interface ClusterEncryption extends Encryption, Component {
  /** What it counts. */
  readonly tally: EncryptionTally
  /** How often the configuration was read again; undefined: it is not. */
  readonly reloads: (() => ReloadCounts) | undefined
  /** The cluster's own keys, newest first. */
  keys(): readonly Key[]
  /** Calls back when the cluster's own keys have changed. */
  onKeys(callback: () => void): void
  /** Whether secrets are encrypted by the cluster's own keys, and not by what the configuration says. */
  readonly ownsSecrets: boolean
  /** Throws what is wrong with the key management services. Undefined: there is none. */
  readonly check: (() => Promise<void>) | undefined
}

/** A configuration that somebody changes in place is looked at this often, besides when the system says that it changed. */
const lookEvery = 60_000

/** Reads keys and configuration; makes the first key. Throws an `Error` of one line for what is wrong with either. */
export async function openEncryption({ directory, configuration, clock, log }: EncryptionOptions): Promise<ClusterEncryption> {
  let keys = ensureKeys(directory)
  const tally = createTally()
  const listeners = { change: [] as (() => void)[], keys: [] as (() => void)[] }
  const changed = (): void => listeners.change.forEach((tell) => tell())
  const stopping: (() => void)[] = []

  const configured = configuration && (await followConfiguration(configuration, { clock, log, changed, stopping, tally }))
  const own = (): readonly Provider[] => keys.map(({ provider }) => provider)
  const providersOf = (group: string, plural: string): readonly Provider[] | undefined => {
    const given = configured?.now().providersOf(group, plural)
    // What the cluster's own keys encrypted stays readable.
    if (given) return [...given, ...own()]
    return group === '' && plural === 'secrets' ? [...own(), identity] : undefined
  }
  const rereadKeys = (): void => {
    try {
      const next = readKeys(directory)
      if (next.length === 0 || next.map(({ name }) => name).join() === keys.map(({ name }) => name).join()) return
      keys = next
    } catch (error) {
      return log.error({ error: (error as Error).message }, 'the keys of secrets have changed, and cannot be used; the old ones stay')
    }
    changed()
    listeners.keys.forEach((tell) => tell())
  }
  stopping.push(follow(directory, rereadKeys, { clock, log }))
  return {
    transformerFor: (group, plural) => (providersOf(group, plural) ? transformerOf(() => providersOf(group, plural) ?? [], observerOf(tally, group === '' ? plural : `${plural}.${group}`)) : undefined),
    reader: transformerOf(own, observerOf(tally, 'unknown')),
    tally,
    reloads: configured?.reloads,
    onChange: (callback) => void listeners.change.push(callback),
    onKeys: (callback) => void listeners.keys.push(callback),
    keys: () => keys,
    get ownsSecrets() { return configured?.now().providersOf('', 'secrets') === undefined },
    get check() { return configured?.check },
    async stop() {
      for (const stop of stopping) stop()
    },
  }
}

const observerOf = (tally: EncryptionTally, resource: string): Observe => (direction, prefix, begun, error) => tally.transformed(resource, direction, prefix, begun, error)

interface Following { readonly clock: Clock; readonly log: Logger; changed(): void; readonly stopping: (() => void)[]; readonly tally: EncryptionTally }

interface Loaded { readonly configured: Configured; readonly services: ReadonlyMap<string, Envelope> }

/** The configuration as it is now. One that is wrong, or whose services are not well, does not take the place of one that works. */
async function followConfiguration(source: ConfigurationSource, { clock, log, changed, stopping, tally }: Following) {
  const load = (text: string, known: ReadonlyMap<string, Envelope>): Loaded => {
    const services = new Map<string, Envelope>()
    const make = (options: KmsOptions): Provider => {
      const id = JSON.stringify(options)
      let envelope = services.get(id) ?? known.get(id)
      envelope ??= createEnvelope({ name: options.name, service: kmsService(options, tally), clock, log, tally, onRecovered: changed })
      services.set(id, envelope)
      return envelope.provider
    }
    try {
      return { configured: parseEncryption(text, make), services }
    } catch (error) {
      end(services, known)
      throw error
    }
  }
  let text = source.read()
  let now = load(text, new Map())
  const reloads = createReloads(clock, text)
  const check = async (): Promise<void> => void (await Promise.all([...now.services.values()].map((service) => service.check())))
  const reload = async (): Promise<void> => {
    let next: Loaded | undefined
    try {
      const read = source.read()
      if (read === text) return
      text = read
      next = load(read, now.services)
      await Promise.all([...next.services.values()].map((service) => service.check()))
    } catch (error) {
      if (next) end(next.services, now.services)
      reloads.failed()
      return log.error({ path: source.path, error: (error as Error).message }, 'the encryption configuration has changed, and cannot be used; the old one stays')
    }
    end(now.services, next.services)
    now = next
    reloads.succeeded(text)
    log.info({ path: source.path }, 'the encryption configuration has changed')
    changed()
  }
  stopping.push(() => end(now.services, new Map()))
  if (source.automaticReload) {
    let running: Promise<void> = Promise.resolve()
    const name = basename(source.path)
    // Files are replaced rather than written, and where they come from a ConfigMap by way of a link.
    const concerns = (changed: string | null) => changed === null || changed === name || changed.startsWith('..')
    stopping.push(follow(dirname(source.path), (changed) => { if (concerns(changed)) running = running.then(reload) }, { clock, log }))
  }
  return { reloads: source.automaticReload ? reloads.counts : undefined, now: () => now.configured, check: now.services.size > 0 || source.automaticReload ? check : undefined }
}

/** Ends the services that nobody uses any more. */
function end(services: ReadonlyMap<string, Envelope>, used: ReadonlyMap<string, Envelope>): void {
  for (const [id, service] of services) if (used.get(id) !== service) service.stop()
}

/**
 * Tells when something in a directory may have changed, with its name where that is known: at once where the system says so, and on time in any
 * case. Returns what ends it.
 */
function follow(directory: string, tell: (name: string | null) => void, { clock, log }: { readonly clock: Clock; readonly log: Logger }): () => void {
  const unwatched = (error: Error) => log.warn({ directory, error: error.message }, `a directory cannot be watched, and is looked at every ${lookEvery / 1000} s`)
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, { persistent: false }, (_, name) => tell(name))
    watcher.on('error', unwatched)
  } catch (error) {
    unwatched(error as Error)
  }
  const tick = (): void => {
    tell(null)
    timer = clock.after(lookEvery, tick)
  }
  let timer = clock.after(lookEvery, tick)
  return () => {
    watcher?.close()
    timer.cancel()
  }
}
