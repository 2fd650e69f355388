/**
 * Rotation of the cluster's own keys. A new key is a new file: from then on it writes. What is stored is written anew with it, and the
 * old keys go when nothing needs them: neither what lives nor the history that can still be read. Every step can be cut off and is taken
 * up again: which keys there are says how far it has come.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import type { EncryptedStore } from './encrypted-store.ts'
import type { ClusterEncryption } from './encryption.ts'
import { dropKey } from './keyring.ts'

/** The keys of everything that the cluster's own keys encrypt. */
const secretsPrefix = '/registry/core/secrets/'

/** How often the history is looked at, whether it still needs an old key. */
const lookEvery = 30_000

/** How far a rotation has come, for whoever waits for it. */
export interface Progress {
  /** The key that everything is encrypted with. */
  readonly key: string
  /** How many secrets were written anew. */
  readonly written: number
  /** The old keys go when history before this revision is forgotten. */
  readonly revision: number
}

const progressFile = (directory: string): string => join(directory, 'rotation.json')

/** What the last rotation has come to; undefined when there was none. */
export function readProgress(directory: string): Progress | undefined {
  try {
    return JSON.parse(readFileSync(progressFile(directory), 'utf8')) as Progress
  } catch {
    return undefined // none yet, or one that was cut off: both are made again
  }
}

export interface RotationOptions {
  readonly store: EncryptedStore
  readonly encryption: Pick<ClusterEncryption, 'keys' | 'onKeys'>
  readonly directory: string
  readonly clock: Clock
  readonly log: Logger
}

/** Writes every secret anew with the newest key. Throws, naming it, when one cannot be read. */
export async function rewriteSecrets({ store, encryption, directory }: RotationOptions, signal?: AbortSignal): Promise<Progress> {
  const [newest] = encryption.keys()
  const { written, revision } = await store.rewrite(secretsPrefix, signal)
  const progress = { key: newest!.name, written, revision }
  writeFileSync(`${progressFile(directory)}.new`, JSON.stringify(progress), { mode: 0o600, flush: true })
  renameSync(`${progressFile(directory)}.new`, progressFile(directory))
  return progress
}

/**
 * Drops the keys before the newest when nothing needs them any more. Returns how many went; or, where something was written with an old key
 * after all, by somebody who had begun before there was a new one, what the rotation has come to now.
 */
export async function dropOldKeys(options: RotationOptions, { key, revision }: Progress): Promise<number | Progress> {
  const { store, encryption, directory } = options
  const [newest, ...old] = encryption.keys()
  if (newest?.name !== key || old.length === 0 || (await store.compacted()) < revision) return 0
  const proof = await rewriteSecrets(options)
  if (proof.written > 0) return proof
  for (const { name } of old) dropKey(directory, name)
  return old.length
}

/** Looks after rotations: takes up one that was cut off, and the next whenever a key is added. */
export function startRotation(options: RotationOptions): Component {
  const { encryption, clock, log } = options
  const stopping = new AbortController()
  let again = new AbortController()
  encryption.onKeys(() => again.abort())
  const turn = async (): Promise<void> => {
    let progress = await rewriteSecrets(options, stopping.signal)
    log.info({ key: progress.key, written: progress.written }, 'every secret is encrypted with the newest key')
    for (;;) {
      await clock.sleep(lookEvery, AbortSignal.any([stopping.signal, again.signal]))
      const dropped = await dropOldKeys(options, progress)
      if (typeof dropped === 'object') progress = dropped
      else if (dropped > 0) return log.info({ dropped }, 'the old keys of secrets are gone: nothing needs them any more')
    }
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      again = new AbortController()
      const woken = AbortSignal.any([stopping.signal, again.signal])
      try {
        if (encryption.keys().length > 1) await turn()
        else await aborted(woken)
      } catch (error) {
        if (woken.aborted) continue
        log.error({ error: (error as Error).message }, 'secrets could not be encrypted with the newest key; the old keys stay, and it is tried again')
        await clock.sleep(lookEvery, woken).catch(() => undefined)
      }
    }
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => {
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
})
