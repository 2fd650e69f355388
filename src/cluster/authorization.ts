/** Authorization: kube-apiserver's flags as a list of authorizers. */
import { readFileSync, statSync } from 'node:fs'
import type { AuthorizationOptions, ChosenMode } from '../apiserver/authz/setup.ts'
import { createPost, type Post } from '../apiserver/remote.ts'
import { inClusterConfig } from '../client/kubeconfig.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import type { ReloadCounts } from '../machinery/reloads.ts'
import { argumentDuration, argumentList, type ApiServerArguments } from './apiserver-arguments.ts'
import { about, kubeconfigPost, postOf } from './authentication.ts'
import { UserError } from './user-error.ts'
import { watchFile } from './watched-file.ts'

type Given = ApiServerArguments | undefined
const flags = ['authorization-mode', 'authorization-webhook-config-file', 'authorization-webhook-version', 'authorization-webhook-cache-authorized-ttl', 'authorization-webhook-cache-unauthorized-ttl']
const builtIn = ['Node', 'RBAC', 'AlwaysAllow', 'AlwaysDeny'] as const

export interface AuthorizationSettings {
  readonly options: AuthorizationOptions
  /** How often the configuration was reloaded; undefined when there is no file. */
  readonly reloads?: (() => ReloadCounts) | undefined
  stop(): void
}

/** What the arguments ask for; undefined when they say nothing, which means Node and RBAC. Throws `UserError`. */
export async function authorizationOf(given: Given, env: { readonly clock: Clock; readonly log: Logger }): Promise<AuthorizationSettings | undefined> {
  const file = given?.['authorization-config']
  const said = flags.filter((flag) => given?.[flag] !== undefined)
  if (file !== undefined && said.length > 0) throw new UserError(`authorization-config: it cannot be combined with ${said.join(', ')}`)
  if (file !== undefined) {
    const watched = await watchFile('authorization-config', file, modesOfFile, env)
    return { options: { modes: watched.current }, reloads: watched.reloads, stop: watched.stop }
  }
  if (said.length === 0) return undefined
  const modes = await modesOfFlags(given)
  return { options: { modes: () => modes }, stop: () => undefined }
}

async function modesOfFile(text: string): Promise<readonly ChosenMode[]> {
  const { parseAuthorizationConfiguration, webhookOptions } = await import('../apiserver/authz/configuration.ts')
  const { createWebhookMode } = await import('../apiserver/authz/webhook.ts')
  const { authorizers = [] } = parseAuthorizationConfiguration(text, fileProblem)
  return Promise.all(authorizers.map(async ({ type, name = '', webhook }): Promise<ChosenMode> => {
    if (!webhook) return type as (typeof builtIn)[number]
    const kubeconfig = webhook.connectionInfo?.kubeConfigFile
    const post = kubeconfig === undefined ? await postInCluster(name, webhook.subjectAccessReviewVersion ?? 'v1') : await postOf(`authorizer ${name}`, readFileSync(kubeconfig, 'utf8'), kubeconfig)
    const options = { name, post, ...webhookOptions(webhook) }
    return (context) => createWebhookMode(options, context)
  }))
}

/** For a server in a pod: the API server of the cluster that the pod is in decides, and the pod's account asks. */
async function postInCluster(name: string, version: string): Promise<Post> {
  const { server, ...remote } = await inClusterConfig().catch((error: Error) => {
    throw new UserError(`authorizer ${name}: InClusterConfig: ${error.message}`)
  })
  return createPost({ ...remote, server: `${server}/apis/authorization.k8s.io/${version}/subjectaccessreviews` })
}

function fileProblem(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : 'must be a regular file'
  } catch (error) {
    return `error loading file: ${(error as Error).message}`
  }
}

async function modesOfFlags(given: Given): Promise<readonly ChosenMode[]> {
  const names = argumentList(given, 'authorization-mode') ?? ['Node', 'RBAC']
  const post = await kubeconfigPost(given, 'authorization-webhook-config-file')
  const version = given?.['authorization-webhook-version'] ?? 'v1beta1'
  if (version !== 'v1' && version !== 'v1beta1') throw new UserError(`authorization-webhook-version: "${version}" is not one of v1, v1beta1`)
  if (names.includes('Webhook') !== (post !== undefined)) throw new UserError('authorization-mode Webhook and authorization-webhook-config-file must be given together')
  const { createWebhookMode } = await import('../apiserver/authz/webhook.ts')
  return about('authorization-mode', () => names.map((name, i): ChosenMode => {
    if (names.indexOf(name) < i) throw new Error(`${name} is there twice`)
    if (name === 'Webhook' && post) {
      const options = {
        name: 'webhook', post, version: version as 'v1' | 'v1beta1', timeout: 30_000, failurePolicy: 'NoOpinion' as const,
        authorizedTtl: argumentDuration(given, 'authorization-webhook-cache-authorized-ttl') ?? 300_000,
        unauthorizedTtl: argumentDuration(given, 'authorization-webhook-cache-unauthorized-ttl') ?? 30_000,
      }
      return (context) => createWebhookMode(options, context)
    }
    const mode = builtIn.find((one) => one === name)
    if (!mode) throw new Error(`"${name}" is not one of ${[...builtIn, 'Webhook'].join(', ')}`)
    return mode
  }))
}
