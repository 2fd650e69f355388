/** `skiff secrets rotate-key`: a new key for what is stored of secrets, in a cluster that is up or down. */
import { systemClock } from '../machinery/clock.ts'
import { openLmdbStore } from '../store/lmdb.ts'
import { runningPid } from '../cluster/daemon.ts'
import { checkOwnKeys, rotateRunning, rotateStopped } from '../cluster/encryption.ts'
import { createLog } from '../cluster/log.ts'
import { UserError } from '../cluster/user-error.ts'
import { existing, needRoot } from './options.ts'
import type { ClusterOptions } from './options.ts'

export async function rotateKey(options: ClusterOptions): Promise<void> {
  needRoot('secrets rotate-key')
  const { paths, settings } = existing(options)
  if (settings.agentKubeconfig !== undefined) throw new UserError(`"${settings.name}" is a node; run this on the machine of its control plane`)
  const environment = { paths, given: settings.apiServerArguments, clock: systemClock, log: createLog('error') }
  await checkOwnKeys(environment)
  const pid = runningPid(paths)
  if (pid !== undefined) {
    const { key, written } = await rotateRunning(environment)
    console.log(`${count(written)} encrypted with ${key}`)
    console.log('the old key is removed in a few minutes, when no history is left that was encrypted with it')
    return
  }
  const store = await openLmdbStore({ path: paths.store, log: environment.log }).catch((error: Error) => {
    throw new UserError(`cannot open the store: ${error.message}`)
  })
  try {
    const { key, written } = await rotateStopped(store, environment)
    console.log(`${count(written)} encrypted with ${key}; the old key is gone`)
  } finally {
    await store.close()
  }
}

const count = (secrets: number): string => (secrets === 1 ? '1 secret is' : `${secrets} secrets are`)
