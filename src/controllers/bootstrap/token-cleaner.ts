/** Removes bootstrap tokens when they end: what nobody can use any more need not lie about. */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { ControllerContext } from '../shared/context.ts'
import { isToken, timeLeft, tokensOnly } from './token.ts'

const name = 'token-cleaner'

function tokenReconciler(secrets: Informer<core.Secret>, client: Client, clock: Clock): Reconciler {
  return {
    async reconcile(key) {
      const secret = secrets.get(key)
      const left = secret && timeLeft(secret, clock.now())
      if (secret === undefined || left === undefined) return
      if (left > 0) return { requeueAfter: left }
      const { name: called = '', namespace = '', uid = '' } = secret.metadata
      // Another one of that name, or none: somebody was faster.
      await client.delete(core.secrets, called, { namespace, preconditions: { uid } }).catch((error: unknown) => { if (!isConflict(error) && !isNotFound(error)) throw error })
    },
  }
}

export function startBootstrapTokenCleaner(context: ControllerContext): Controller {
  const { clock, log, signal } = context
  const secrets = context.informers.for(core.secrets, tokensOnly)
  return runController({
    name,
    reconciler: tokenReconciler(secrets, context.client(name), clock),
    watches: [watch(secrets, (secret) => (isToken(secret) ? [keyOf(secret)] : []))],
    clock, log, signal,
  })
}
