package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func init() { areas["identity"] = identity }

// WhoIs asks the server who these credentials are.
func whoIs(ctx context.Context, config *rest.Config) (authenticationv1.UserInfo, error) {
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	review, err := clientset.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	return review.Status.UserInfo, nil
}

func (r *run) tokenOf(ctx context.Context, namespace, account string, audiences ...string) (string, error) {
	clientset := kubernetes.NewForConfigOrDie(r.config)
	_, err := clientset.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}
	hour := int64(3600)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences, ExpirationSeconds: &hour}}
	answer, err := clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	if left := time.Until(answer.Status.ExpirationTimestamp.Time); left < 55*time.Minute || left > 61*time.Minute {
		return "", fmt.Errorf("a token for an hour is for %s", left)
	}
	return answer.Status.Token, nil
}

// Bare is the way to the server, without anybody's credentials.
func (r *run) bare() *rest.Config { return rest.AnonymousClientConfig(r.config) }

func identity(r *run) {
	clientset := kubernetes.NewForConfigOrDie(r.config)
	r.step("a client certificate", func(ctx context.Context) error {
		user, err := whoIs(ctx, r.config)
		return errors.Join(err, expect("masters", slices.Contains(user.Groups, "system:masters"), true))
	})
	r.step("nobody", func(ctx context.Context) error {
		_, err := kubernetes.NewForConfigOrDie(r.bare()).CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		return expect("refused", apierrors.IsForbidden(err), true)
	})
	r.step("a wrong token", func(ctx context.Context) error {
		config := r.bare()
		config.BearerToken = "nonsense"
		_, err := whoIs(ctx, config)
		return expect("unauthorized", apierrors.IsUnauthorized(err), true)
	})
	r.step("tokens of service accounts, from a file that changes", func(ctx context.Context) error { return tokens(ctx, r) })
	r.step("a token for others", func(ctx context.Context) error {
		token, err := r.tokenOf(ctx, r.namespace("audience"), "a", "others")
		if err != nil {
			return err
		}
		config := r.bare()
		config.BearerToken = token
		if _, err := whoIs(ctx, config); !apierrors.IsUnauthorized(err) {
			return fmt.Errorf("a token for others: %v", err)
		}
		review, err := clientset.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{"others", "more"}}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return first(expect("authenticated", review.Status.Authenticated, true), expect("audiences", fmt.Sprint(review.Status.Audiences), "[others]"))
	})
	r.step("impersonation", func(ctx context.Context) error {
		user, err := whoIs(ctx, r.with(func(config *rest.Config) {
			config.Impersonate = rest.ImpersonationConfig{UserName: "jane", UID: "7", Groups: []string{"a", "b"}, Extra: map[string][]string{"example.com/Some%thing": {"x", "y"}}}
		}))
		if err != nil {
			return err
		}
		return first(expect("name", user.Username, "jane"), expect("uid", user.UID, "7"), expect("groups", fmt.Sprint(user.Groups), "[a b system:authenticated]"),
			expect("extra", fmt.Sprint(user.Extra), "map[example.com/some%thing:[x y]]"))
	})
	r.step("an exec plugin in a kubeconfig", func(ctx context.Context) error { return execPlugin(ctx, r) })
	r.step("a certificate by request", func(ctx context.Context) error { return certificate(ctx, clientset) })
	r.step("reviews of access", func(ctx context.Context) error { return reviews(ctx, clientset, r) })
	r.step("a role says what may be given away", func(ctx context.Context) error { return escalation(ctx, clientset, r) })
}

func tokens(ctx context.Context, r *run) error {
	namespace := r.namespace("tokens")
	directory, err := os.MkdirTemp("", "token")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	file := filepath.Join(directory, "token")
	config := r.bare()
	config.BearerTokenFile = file
	for _, account := range []string{"one", "two"} {
		token, err := r.tokenOf(ctx, namespace, account)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			return err
		}
		user, err := whoIs(ctx, rest.CopyConfig(config))
		if err != nil {
			return err
		}
		if err := first(expect("user", user.Username, "system:serviceaccount:"+namespace+":"+account), expect("groups", fmt.Sprint(user.Groups), "[system:serviceaccounts system:serviceaccounts:"+namespace+" system:authenticated]")); err != nil {
			return err
		}
	}
	// The account goes, and its tokens with it.
	if err := kubernetes.NewForConfigOrDie(r.config).CoreV1().ServiceAccounts(namespace).Delete(ctx, "two", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return until(ctx, "a token of nobody", func() (bool, error) {
		_, err := whoIs(ctx, rest.CopyConfig(config))
		return apierrors.IsUnauthorized(err), err
	})
}

func execPlugin(ctx context.Context, r *run) error {
	token, err := r.tokenOf(ctx, r.namespace("plugin"), "plugged")
	if err != nil {
		return err
	}
	loaded, err := clientcmd.LoadFromFile(r.kubeconfig)
	if err != nil {
		return err
	}
	for name := range loaded.AuthInfos {
		loaded.AuthInfos[name] = &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode, Command: "echo",
			Args: []string{toJSON(map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": map[string]any{"token": token}})},
		}}
	}
	config, err := clientcmd.NewDefaultClientConfig(*loaded, nil).ClientConfig()
	if err != nil {
		return err
	}
	user, err := whoIs(ctx, config)
	if err != nil {
		return err
	}
	return expect("user", strings.HasSuffix(user.Username, ":plugged"), true)
}

func certificate(ctx context.Context, clientset *kubernetes.Clientset) error {
	pem, err := base64.StdEncoding.DecodeString(signingRequest())
	if err != nil {
		return err
	}
	requests := clientset.CertificatesV1().CertificateSigningRequests()
	made, err := requests.Create(ctx, &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "somebody-"},
		Spec:       certificatesv1.CertificateSigningRequestSpec{Request: pem, SignerName: certificatesv1.KubeAPIServerClientSignerName, Usages: []certificatesv1.KeyUsage{certificatesv1.UsageClientAuth}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.Conditions = append(made.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Test"})
	if _, err := requests.UpdateApproval(ctx, made.Name, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return until(ctx, "a certificate", func() (bool, error) {
		current, err := requests.Get(ctx, made.Name, metav1.GetOptions{})
		return err == nil && strings.Contains(string(current.Status.Certificate), "BEGIN CERTIFICATE"), err
	})
}

func reviews(ctx context.Context, clientset *kubernetes.Clientset, r *run) error {
	namespace := r.namespace("reviews")
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}}}}
	if _, err := clientset.RbacV1().Roles(namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "joe", APIGroup: "rbac.authorization.k8s.io"}}}
	if _, err := clientset.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	joe := kubernetes.NewForConfigOrDie(r.with(func(config *rest.Config) { config.Impersonate.UserName = "joe" }))
	attributes := func(verb string) *authorizationv1.ResourceAttributes {
		return &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: "pods", Version: "v1"}
	}
	for verb, may := range map[string]bool{"get": true, "list": true, "delete": false} {
		self, err := joe.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes(verb)}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		subject, err := clientset.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: "joe", ResourceAttributes: attributes(verb)}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		local, err := clientset.AuthorizationV1().LocalSubjectAccessReviews(namespace).Create(ctx, &authorizationv1.LocalSubjectAccessReview{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}, Spec: authorizationv1.SubjectAccessReviewSpec{User: "joe", ResourceAttributes: attributes(verb)}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if err := first(expect(verb, self.Status.Allowed, may), expect(verb, subject.Status.Allowed, may), expect(verb, local.Status.Allowed, may)); err != nil {
			return err
		}
	}
	rules, err := joe.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rules.Status.ResourceRules, func(rule authorizationv1.ResourceRule) bool { return slices.Contains(rule.Resources, "pods") }) {
		return fmt.Errorf("joe's rules: %s", toJSON(rules.Status))
	}
	_, err = joe.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	err = joe.CoreV1().Pods(namespace).Delete(ctx, "x", metav1.DeleteOptions{})
	return expect("forbidden", fmt.Sprint(err), fmt.Sprintf(`pods "x" is forbidden: User "joe" cannot delete resource "pods" in API group "" in the namespace "%s"`, namespace))
}

func escalation(ctx context.Context, clientset *kubernetes.Clientset, r *run) error {
	namespace := r.namespace("escalation")
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "ann"}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "edit"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "ann", APIGroup: "rbac.authorization.k8s.io"}}}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "roles"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"rbac.authorization.k8s.io"}, Resources: []string{"roles"}, Verbs: []string{"get", "create", "update"}}}}
	if _, err := clientset.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := clientset.RbacV1().Roles(namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding.Name, binding.ResourceVersion, binding.RoleRef = "ann-roles", "", rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "roles"}
	if _, err := clientset.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	ann := kubernetes.NewForConfigOrDie(r.with(func(config *rest.Config) { config.Impersonate.UserName = "ann" })).RbacV1().Roles(namespace)
	give := func(name, resource string) error {
		_, err := ann.Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{resource}, Verbs: []string{"create"}}}}, metav1.CreateOptions{})
		return err
	}
	if err := give("what-she-has", "configmaps"); err != nil {
		return err
	}
	err := give("what-she-has-not", "nodes")
	return expect("refused", fmt.Sprint(err), `roles.rbac.authorization.k8s.io "what-she-has-not" is forbidden: user "ann" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["nodes"], Verbs:["create"]}`)
}
