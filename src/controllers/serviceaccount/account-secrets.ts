/**
 * Tokens in secrets go with their account, and an account names none of them that is gone
 * (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller). What is in such a secret is the API server's to say.
 */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { ControllerContext } from '../shared/context.ts'

const tokenType = 'kubernetes.io/service-account-token'
const accountOf = ({ metadata }: core.Secret): string | undefined => metadata.annotations?.['kubernetes.io/service-account.name'] || undefined

/** Somebody else was faster: as good as done. */
const ignoreRaces = (error: unknown): undefined => { if (!isConflict(error) && !isNotFound(error)) throw error }
const orMissing = (error: unknown): undefined => { if (!isNotFound(error)) throw error }

const isOf = ({ metadata }: core.Secret, account: core.ServiceAccount | undefined): boolean => {
  const uid = metadata.annotations?.['kubernetes.io/service-account.uid']
  return account !== undefined && (!uid || uid === account.metadata.uid)
}

function tokenReconciler(secrets: Informer<core.Secret>, accounts: Informer<core.ServiceAccount>, client: Client): Reconciler {
  /** What accounts are watched for may be behind: before anything is removed, the server is asked. */
  async function removeOrphan(secret: core.Secret, account: string): Promise<void> {
    const { name = '', namespace = '', uid = '' } = secret.metadata
    if (isOf(secret, await client.get(core.serviceaccounts, account, { namespace }).catch(orMissing))) return
    await client.delete(core.secrets, name, { namespace, preconditions: { uid } }).catch(ignoreRaces)
  }
  async function removeReferences(namespace: string, name: string): Promise<void> {
    const naming = accounts.list(namespace).filter((account) => account.secrets?.some((reference) => reference.name === name))
    if (naming.length === 0 || (await client.get(core.secrets, name, { namespace }).catch(orMissing))) return
    for (const account of naming) {
      await client.update(core.serviceaccounts, { ...account, secrets: account.secrets!.filter((reference) => reference.name !== name) }).catch(orMissing)
    }
  }
  return {
    async reconcile(key) {
      const secret = secrets.get(key)
      const [namespace = '', name = ''] = key.split('/')
      if (!secret) return removeReferences(namespace, name).then(() => undefined)
      const account = accountOf(secret)
      if (account !== undefined && !isOf(secret, accounts.get(`${namespace}/${account}`))) await removeOrphan(secret, account)
    },
  }
}

export function startAccountSecretsController(context: ControllerContext): Controller {
  const { clock, log, signal } = context
  const secrets = context.informers.for(core.secrets, { fieldSelector: `type=${tokenType}` })
  const accounts = context.informers.for(core.serviceaccounts)
  return runController({
    name: 'serviceaccount-token-controller',
    reconciler: tokenReconciler(secrets, accounts, context.client('kube-controller-manager')),
    watches: [
      watch(secrets, (secret) => [keyOf(secret)]),
      watch(accounts, ({ metadata: { name, namespace = '' } }) => secrets.list(namespace).filter((secret) => accountOf(secret) === name).map(keyOf)),
    ],
    clock, log, signal,
  })
}
