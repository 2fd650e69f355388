/** Encryption of what is stored: the cluster's own keys, and kube-apiserver's configuration file. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HealthCheck } from '../apiserver/health/health.ts'
import { encryptionMetrics, reloadMetrics, type RegisterMetrics } from '../apiserver/metrics/configurations.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { encryptStore, type EncryptedStore } from '../store/encryption/encrypted-store.ts'
import { openEncryption, type ClusterEncryption } from '../store/encryption/encryption.ts'
import { addKey, KeyError } from '../store/encryption/keyring.ts'
import { dropOldKeys, readProgress, rewriteSecrets, startRotation, type Progress } from '../store/encryption/rotation.ts'
import type { Store } from '../store/store.ts'
import { argumentBoolean, argumentFile, type ApiServerArguments } from './apiserver-arguments.ts'
import type { Paths } from './paths.ts'
import { serverId } from './server-id.ts'
import { UserError } from './user-error.ts'

interface Environment {
  readonly paths: Pick<Paths, 'encryption'>
  readonly given: ApiServerArguments | undefined
  readonly clock: Clock
  readonly log: Logger
}

export interface StoredEncrypted extends Component {
  /** The store that the API server is to work with. */
  readonly store: EncryptedStore
  /** What must be healthy for the server to be ready. */
  readonly checks: readonly HealthCheck[]
  /** Its metrics, for `/metrics`. */
  readonly counted: readonly RegisterMetrics[]
}

const configurationFile = 'encryption-provider-config'

async function open({ paths, given, clock, log }: Environment): Promise<ClusterEncryption> {
  const path = given?.[configurationFile]
  const configuration = path === undefined ? undefined : {
    path,
    read: () => argumentFile(given, configurationFile) ?? '',
    automaticReload: argumentBoolean(given, `${configurationFile}-automatic-reload`) ?? false,
  }
  try {
    return await openEncryption({ directory: paths.encryption, configuration, clock, log })
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(error instanceof KeyError ? error.message : `${configurationFile}: ${path}: ${(error as Error).message}`)
  }
}

/** Puts encryption in front of a store, and carries on rotations of keys. Throws `UserError` for unusable keys or configuration. */
export async function encrypted(raw: Store, environment: Environment): Promise<StoredEncrypted> {
  const encryption = await open(environment)
  const { check } = encryption
  const store = encryptStore(raw, encryption)
  const { clock, log } = environment
  const rotation = startRotation({ store, encryption, directory: environment.paths.encryption, clock, log })
  return {
    store,
    checks: check ? [{ name: 'kms-providers', check }] : [],
    counted: [encryptionMetrics(encryption.tally, serverId), ...(encryption.reloads ? [reloadMetrics('encryption_config_controller', serverId, encryption.reloads)] : [])],
    async stop() {
      await rotation.stop()
      await encryption.stop()
    },
  }
}

/** How long a running cluster may take to encrypt all its secrets again. */
const rotationLimit = 120_000

/**
 * Adds a key and waits until the running cluster has encrypted every secret with it. The cluster removes the old one itself, once no
 * history needs it any more.
 */
export async function rotateRunning({ paths }: Pick<Environment, 'paths'>): Promise<Progress> {
  const { name } = guarded(() => addKey(paths.encryption))
  for (let waited = 0; waited < rotationLimit; waited += 50) {
    const progress = readProgress(paths.encryption)
    if (progress?.key === name) return progress
    // Not the clock's timers: those would let the waiting command exit.
    await sleep(50)
  }
  throw new UserError(`the cluster has ${name}, but has not encrypted every secret with it within ${rotationLimit / 1000} s; it continues, see "skiff logs"`)
}

/** The same for a cluster that is down: its store is opened here, and the old keys are removed at once. */
export async function rotateStopped(raw: Store, environment: Environment): Promise<Progress> {
  guarded(() => addKey(environment.paths.encryption))
  const encryption = await open(environment)
  try {
    const store = encryptStore(raw, encryption)
    const options = { store, encryption, directory: environment.paths.encryption, clock: environment.clock, log: environment.log }
    const progress = await rewriteSecrets(options)
    await store.compact(progress.revision)
    await dropOldKeys(options, progress)
    return progress
  } catch (error) {
    throw new UserError(`${(error as Error).message}; the old keys stay`)
  } finally {
    await encryption.stop()
  }
}

/** Throws `UserError` when secrets are not encrypted with the cluster's own keys: then there is nothing to rotate. */
export async function checkOwnKeys(environment: Environment): Promise<void> {
  const encryption = await open(environment)
  await encryption.stop()
  if (!encryption.ownsSecrets) throw new UserError(`secrets are encrypted as ${environment.given?.[configurationFile]} says; to rotate, add a new key there as the first`)
}

function guarded<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw error instanceof KeyError ? new UserError(error.message) : error
  }
}
