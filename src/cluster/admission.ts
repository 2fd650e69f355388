/** Admission, as configured by kube-apiserver's `admission-control-config-file`, `enable-admission-plugins` and `disable-admission-plugins`. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkPlugins } from '../apiserver/admission/chosen.ts'
import { parseAdmissionConfiguration, type PluginConfigurations } from '../apiserver/admission/configuration.ts'
import type { AdmissionSettings } from '../apiserver/admission/plugins.ts'
import { credentialsOf, type CredentialFor } from '../apiserver/admission/webhooks/credentials.ts'
import { parseUsers } from '../client/kubeconfig.ts'
import { argumentFile, argumentList, type ApiServerArguments } from './apiserver-arguments.ts'
import { postOf } from './authentication.ts'
import { UserError } from './user-error.ts'

const flag = 'admission-control-config-file'

/** Which plugins run, and their configuration. Files that the configuration names are relative to it. Throws `UserError`. */
export async function admissionOf(given: ApiServerArguments | undefined): Promise<AdmissionSettings> {
  const plugins = { enable: argumentList(given, 'enable-admission-plugins'), disable: argumentList(given, 'disable-admission-plugins') }
  const configurations = configurationsOf(given)
  try {
    checkPlugins(plugins, Object.keys(configurations))
  } catch (error) {
    throw new UserError((error as Error).message)
  }
  const { ImagePolicyWebhook: images, MutatingAdmissionWebhook: mutating, ValidatingAdmissionWebhook: validating } = configurations
  const webhookCredentials = { mutating: await credentialsIn(given, mutating), validating: await credentialsIn(given, validating) }
  if (!images) return { plugins, configurations, webhookCredentials }
  const file = beside(given, images.kubeConfigFile)
  return { plugins, configurations, webhookCredentials, imagePolicyPost: await postOf(flag, textOf(file), file) }
}

/** Who this server is for webhooks, by the users of a kubeconfig. */
async function credentialsIn(given: ApiServerArguments | undefined, path: string | undefined): Promise<CredentialFor | undefined> {
  if (path === undefined) return undefined
  const file = beside(given, path)
  const { users, current } = await parseUsers(textOf(file), dirname(file)).catch((error: Error) => {
    throw new UserError(`${flag}: ${file}: ${error.message}`)
  })
  return credentialsOf(users, current)
}

function configurationsOf(given: ApiServerArguments | undefined): PluginConfigurations {
  const text = argumentFile(given, flag)
  if (text === undefined) return {}
  try {
    return parseAdmissionConfiguration(text, (path) => readFileSync(beside(given, path), 'utf8'))
  } catch (error) {
    throw new UserError(`${flag}: ${given?.[flag]}: ${(error as Error).message}`)
  }
}

const beside = (given: ApiServerArguments | undefined, path: string): string => resolve(dirname(given?.[flag] ?? ''), path)

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError(`${flag}: cannot read ${file}: ${(error as Error).message}`)
  }
}
