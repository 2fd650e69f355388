/** Admission as a user asks for it: kube-apiserver's `admission-control-config-file`, `enable-admission-plugins` and `disable-admission-plugins`. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkPlugins, type PluginChoice } from '../apiserver/admission/chosen.ts'
import { parsePodSecurity, type PodSecurityOptions } from '../apiserver/admission/pod-security/configuration.ts'
import { argumentFile, argumentList, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

const flag = 'admission-control-config-file'

/** Defaults and exemptions of Pod Security; undefined when there is no file. Throws `UserError`. */
export function podSecurityOf(given: ApiServerArguments | undefined): PodSecurityOptions | undefined {
  const file = given?.[flag]
  const text = argumentFile(given, flag)
  if (file === undefined || text === undefined) return undefined
  try {
    return parsePodSecurity(text, (path) => readFileSync(resolve(dirname(file), path), 'utf8'))
  } catch (error) {
    throw new UserError(`${flag}: ${file}: ${(error as Error).message}`)
  }
}

/** Which plugins run. Throws `UserError`. */
export function pluginsOf(given: ApiServerArguments | undefined): PluginChoice {
  const choice = { enable: argumentList(given, 'enable-admission-plugins'), disable: argumentList(given, 'disable-admission-plugins') }
  try {
    checkPlugins(choice)
  } catch (error) {
    throw new UserError((error as Error).message)
  }
  return choice
}
