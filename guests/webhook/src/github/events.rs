//! How GitHub's events are told. Templates as in [`crate::template`].

/// Event (any, when empty), action, a member that must be true (none, when empty), and the words. The first that
/// fits is taken.
pub const VERBS: &[(&str, &str, &str, &str)] = &[
    ("push", "", "deleted", "deleted"),
    ("push", "", "forced", "force-pushed"),
    ("push", "", "created", "created"),
    ("push", "", "", "pushed to"),
    ("pull_request", "closed", "pull_request.merged", "merged"),
    ("pull_request", "synchronize", "", "pushed to"),
    ("star", "created", "", "starred"),
    ("star", "deleted", "", "unstarred"),
    ("pull_request_review", "submitted", "", "submitted"),
    ("issue_comment", "created", "", "commented"),
    ("issue_comment", "edited", "", "edited a comment"),
    ("issue_comment", "deleted", "", "deleted a comment"),
    ("pull_request_review_comment", "created", "", "commented"),
    ("pull_request_review_comment", "edited", "", "edited a comment"),
    ("pull_request_review_comment", "deleted", "", "deleted a comment"),
    ("discussion_comment", "created", "", "commented"),
    ("discussion_comment", "edited", "", "edited a comment"),
    ("discussion_comment", "deleted", "", "deleted a comment"),
    ("member", "added", "", "added {member.login} to"),
    ("member", "removed", "", "removed {member.login} from"),
    ("member", "edited", "", "changed the permissions of {member.login} in"),
    ("membership", "added", "", "added {member.login} to"),
    ("membership", "removed", "", "removed {member.login} from"),
    ("repository", "renamed", "", "renamed[ (formerly {changes.repository.name.from})]"),
    ("organization", "member_added", "", "added[ {membership.user.login}] to"),
    ("organization", "member_removed", "", "removed[ {membership.user.login}] from"),
    ("organization", "member_invited", "", "invited[ {user.login|invitation.login}] to"),
    ("team", "added_to_repository", "", "gave the repository to"),
    ("team", "removed_from_repository", "", "took the repository from"),
    ("release", "released", "", "made available"),
    ("discussion", "category_changed", "", "changed the category of"),
    ("installation", "suspend", "", "suspended"),
    ("installation", "unsuspend", "", "unsuspended"),
    ("installation", "new_permissions_accepted", "", "accepted new permissions of"),
    ("repository_vulnerability_alert", "create", "", "created"),
    ("repository_vulnerability_alert", "dismiss", "", "dismissed"),
    ("repository_vulnerability_alert", "resolve", "", "resolved"),
    ("", "labeled", "", "added label {label.name} to"),
    ("", "unlabeled", "", "removed[ label {label.name}] from"),
    ("", "assigned", "", "assigned {assignee.login} to"),
    ("", "unassigned", "", "unassigned {assignee.login} from"),
    ("", "milestoned", "", "added[ milestone {milestone.title|issue.milestone.title}] to"),
    ("", "demilestoned", "", "took away the milestone[ {milestone.title}] from"),
    ("", "typed", "", "set the type {type.name} of"),
    ("", "untyped", "", "took away the type[ {type.name}] from"),
    ("", "review_requested", "", "asked[ {requested_reviewer.login|requested_team.name}] for a review of"),
    (
        "",
        "review_request_removed",
        "",
        "no longer asks[ {requested_reviewer.login|requested_team.name}] for a review of",
    ),
    ("", "ready_for_review", "", "marked as ready for review"),
    ("", "converted_to_draft", "", "turned into a draft"),
    ("", "auto_merge_enabled", "", "enabled auto-merge of"),
    ("", "auto_merge_disabled", "", "disabled auto-merge of"),
    ("", "enqueued", "", "put into the merge queue"),
    ("", "dequeued", "", "took out of the merge queue"),
    ("", "answered", "", "marked an answer to"),
    ("", "unanswered", "", "took back the answer to"),
    ("", "publicized", "", "made public"),
    ("", "privatized", "", "made private"),
];

/// Event, the summary, and where the words of a person are. `{actor}` is who did it, `{verb}`
/// what, and `{subject}` whether an issue is one or a pull request.
pub const EVENTS: &[(&str, &str, &str)] = &[
    ("push", "{actor} {verb} {ref:ref}[ ({commits:count=commit})][ from {base_ref:ref}]\n{compare}", ""),
    (
        "pull_request",
        "{actor} {verb} pull request #{pull_request.number}: {pull_request.title}\n\
         {pull_request.head.label|pull_request.head.ref} → {pull_request.base.ref}, {pull_request.state}\
         [, {pull_request.draft:is=draft}][, by {pull_request.user.login}]\
         [, {pull_request.commits:count=commit}, +{pull_request.additions} −{pull_request.deletions}]\
         [, labels {pull_request.labels:names}][, changed {changes:keys}]\n{pull_request.html_url}",
        "pull_request.body",
    ),
    (
        "pull_request_review",
        "{actor} {verb} a review of pull request #{pull_request.number}: {pull_request.title}\n\
         {review.state:words}[, {pull_request.head.ref} → {pull_request.base.ref}]\n\
         {review.html_url|pull_request.html_url}",
        "review.body",
    ),
    (
        "pull_request_review_comment",
        "{actor} {verb} on pull request #{pull_request.number}: {pull_request.title}\n\
         {comment.path}[, line {comment.line|comment.original_line}]\n{comment.html_url}",
        "comment.body",
    ),
    (
        "pull_request_review_thread",
        "{actor} {verb} a review thread of pull request #{pull_request.number}: {pull_request.title}\n\
         {thread.comments.0.path}[: {thread.comments.0.body}]\n\
         {thread.comments.0.html_url|pull_request.html_url}",
        "",
    ),
    (
        "issues",
        "{actor} {verb} issue #{issue.number}: {issue.title}\n\
         {issue.state}[, {issue.state_reason:words}][, by {issue.user.login}][, labels {issue.labels:names}]\
         [, assigned to {issue.assignees:names}][, changed {changes:keys}]\n{issue.html_url}",
        "issue.body",
    ),
    (
        "issue_comment",
        "{actor} {verb} on {subject} #{issue.number}: {issue.title}\n\
         {issue.state}[, labels {issue.labels:names}]\n{comment.html_url}",
        "comment.body",
    ),
    (
        "commit_comment",
        "{actor} commented on commit {comment.commit_id:sha}[ in {comment.path}][, line {comment.line}]\n{comment.html_url}",
        "comment.body",
    ),
    (
        "workflow_run",
        "workflow {workflow_run.name|workflow.name} #{workflow_run.run_number} on {workflow_run.head_branch}: \
         {workflow_run.conclusion|workflow_run.status|action:words}[, attempt {workflow_run.run_attempt:not=1}]\n\
         {workflow_run.event:words} by {workflow_run.triggering_actor.login|workflow_run.actor.login|sender.login}\
         [, {workflow_run.head_sha:sha}][ {workflow_run.display_title|workflow_run.head_commit.message}]\n\
         {workflow_run.html_url}",
        "",
    ),
    (
        "workflow_job",
        "job {workflow_job.name}[ of {workflow_job.workflow_name}][ on {workflow_job.head_branch}]: \
         {workflow_job.conclusion|workflow_job.status|action:words}[, {workflow_job.head_sha:sha}]\
         [, runner {workflow_job.runner_name}]\n{workflow_job.html_url}",
        "",
    ),
    (
        "check_run",
        "check {check_run.name}[ on {check_run.check_suite.head_branch}]: \
         {check_run.conclusion|check_run.status|action:words}[, {check_run.head_sha:sha}]\n\
         {check_run.output.title}[: {check_run.output.summary}]\n{check_run.html_url|check_run.details_url}",
        "",
    ),
    (
        "check_suite",
        "checks[ of {check_suite.app.name}][ on {check_suite.head_branch}]: \
         {check_suite.conclusion|check_suite.status|action:words}[, {check_suite.head_sha:sha}]\
         [ {check_suite.head_commit.message}]\n[{repository.html_url}/commit/{check_suite.head_sha}]",
        "",
    ),
    (
        "status",
        "status {context}: {state}[, {description}]\n\
         {sha:sha} {commit.commit.message}[ (on {branches:names})]\n{target_url|commit.html_url}",
        "",
    ),
    (
        "release",
        "{actor} {verb} release {release.tag_name}[: {release.name}]\n\
         [{release.draft:is=draft}][ {release.prerelease:is=prerelease}][ from {release.target_commitish}]\n{release.html_url}",
        "release.body",
    ),
    ("create", "{actor} created {ref_type} {ref:ref}\n{repository.html_url}", ""),
    ("delete", "{actor} deleted {ref_type} {ref:ref}\n{repository.html_url}", ""),
    ("fork", "{actor} forked it to {forkee.full_name}\n{forkee.html_url}", ""),
    ("star", "{actor} {verb} it[, {repository.stargazers_count:count=star}]\n{repository.html_url}", ""),
    ("watch", "{actor} starred it[, {repository.stargazers_count:count=star}]\n{repository.html_url}", ""),
    (
        "deployment",
        "{actor} started a deployment of {deployment.ref:ref} to {deployment.environment}[, {deployment.sha:sha}]\n\
         {deployment.description}\n{repository.html_url}",
        "",
    ),
    (
        "deployment_status",
        "deployment of {deployment.ref:ref} to {deployment_status.environment|deployment.environment}: \
         {deployment_status.state:words}[, {deployment_status.description}][, {deployment.sha:sha}]\n\
         {deployment_status.target_url|deployment_status.log_url|repository.html_url}",
        "",
    ),
    (
        "deployment_review",
        "deployment review {verb} for {environment|workflow_job_run.environment}[ by {reviewers:names}]: \
         {workflow_run.display_title|workflow_run.name}\n{workflow_run.html_url}",
        "comment",
    ),
    (
        "deployment_protection_rule",
        "deployment to {environment} asks for approval[, {deployment.ref:ref}]\n{deployment.description}\n{repository.html_url}",
        "",
    ),
    (
        "discussion",
        "{actor} {verb} discussion #{discussion.number}: {discussion.title}\n\
         {discussion.category.name}, {discussion.state}[, label {label.name}]\n{answer.html_url|discussion.html_url}",
        "answer.body|discussion.body",
    ),
    (
        "discussion_comment",
        "{actor} {verb} on discussion #{discussion.number}: {discussion.title}\n{comment.html_url}",
        "comment.body",
    ),
    ("member", "{actor} {verb} the collaborators\n{repository.html_url}", ""),
    ("membership", "{actor} {verb} team {team.name}\n{team.html_url}", ""),
    ("organization", "{actor} {verb} the organization {organization.login}", ""),
    ("team", "{actor} {verb} team {team.name}[, {team.permission}]\n{team.html_url}", ""),
    ("team_add", "{actor} added team {team.name}[, {team.permission}]\n{team.html_url}", ""),
    ("org_block", "{actor} {verb} {blocked_user.login}\n{blocked_user.html_url}", ""),
    ("ping", "GitHub says hello: {zen}\nevents: {hook.events:names}", ""),
    ("meta", "this webhook was {verb} by {actor}", ""),
    ("repository", "{actor} {verb} the repository[, changed {changes:keys}]\n{repository.html_url}", ""),
    ("public", "{actor} made the repository public\n{repository.html_url}", ""),
    ("repository_import", "import of the repository: {status}\n{repository.html_url}", ""),
    (
        "repository_dispatch",
        "{actor} dispatched {action}[ on {branch}][, with {client_payload:keys}]\n{repository.html_url}",
        "",
    ),
    (
        "workflow_dispatch",
        "{actor} dispatched {workflow} on {ref:ref}[, with {inputs:keys}]\n{repository.html_url}",
        "",
    ),
    ("label", "{actor} {verb} label {label.name}[: {label.description}][, changed {changes:keys}]", ""),
    (
        "milestone",
        "{actor} {verb} milestone {milestone.title}[, due {milestone.due_on}][, {milestone.open_issues} open, \
         {milestone.closed_issues} closed]\n{milestone.html_url}",
        "milestone.description",
    ),
    (
        "branch_protection_rule",
        "{actor} {verb} the branch protection rule {rule.name}[, changed {changes:keys}]\n{repository.html_url}",
        "",
    ),
    (
        "repository_ruleset",
        "{actor} {verb} the ruleset {repository_ruleset.name}\n{repository_ruleset._links.html.href}",
        "",
    ),
    ("deploy_key", "{actor} {verb} deploy key {key.title}[ ({key.read_only:is=read only})]\n{repository.html_url}", ""),
    (
        "dependabot_alert",
        "Dependabot alert #{alert.number} {verb}: {alert.security_advisory.summary}\n\
         {alert.dependency.package.name}[ ({alert.dependency.package.ecosystem})][ in {alert.dependency.manifest_path}], \
         {alert.security_advisory.severity}[, affected {alert.security_vulnerability.vulnerable_version_range}]\
         [, fixed in {alert.security_vulnerability.first_patched_version.identifier}]\
         [, {alert.security_advisory.cve_id|alert.security_advisory.ghsa_id}][, {alert.dismissed_reason:words}]\n{alert.html_url}",
        "alert.dismissed_comment",
    ),
    (
        "repository_vulnerability_alert",
        "vulnerability alert {verb}: {alert.affected_package_name} {alert.affected_range}[, fixed in {alert.fixed_in}]\
         [, {alert.severity}]\n{alert.external_identifier|alert.ghsa_id}[ {alert.external_reference}]",
        "",
    ),
    (
        "code_scanning_alert",
        "code scanning alert #{alert.number} {verb}: {alert.rule.description|alert.rule.id}\n\
         {alert.rule.security_severity_level|alert.rule.severity}[, {alert.tool.name}][, {ref:ref}]\
         [, {alert.most_recent_instance.location.path}][ line {alert.most_recent_instance.location.start_line}]\
         [, {alert.dismissed_reason:words}]\n{alert.html_url}",
        "alert.most_recent_instance.message.text",
    ),
    (
        "secret_scanning_alert",
        "secret scanning alert #{alert.number} {verb}: {alert.secret_type_display_name|alert.secret_type:words}\n\
         {alert.state}[, {alert.resolution:words}][, {alert.push_protection_bypassed:is=push protection bypassed}]\n{alert.html_url}",
        "alert.resolution_comment",
    ),
    (
        "secret_scanning_alert_location",
        "secret scanning alert #{alert.number} found in {location.details.path|location.type:words}\
         [, line {location.details.start_line}][, {location.details.commit_sha:sha}]\n{alert.html_url}",
        "",
    ),
    (
        "security_advisory",
        "security advisory {security_advisory.ghsa_id} {verb}: {security_advisory.summary}\n\
         {security_advisory.severity}[, {security_advisory.cve_id}][, {security_advisory.vulnerabilities.0.package.name} \
         {security_advisory.vulnerabilities.0.vulnerable_version_range}]\
         [, fixed in {security_advisory.vulnerabilities.0.first_patched_version.identifier}]\n\
         {security_advisory.html_url|security_advisory.references.0.url}",
        "security_advisory.description",
    ),
    (
        "repository_advisory",
        "{actor} {verb} repository advisory {repository_advisory.ghsa_id}: {repository_advisory.summary}\n\
         {repository_advisory.severity}[, {repository_advisory.state}]\n{repository_advisory.html_url}",
        "repository_advisory.description",
    ),
    (
        "merge_group",
        "merge group for {merge_group.base_ref:ref}: {verb}[, {merge_group.head_sha:sha}][ {merge_group.head_commit.message}]\n\
         {repository.html_url}",
        "",
    ),
    (
        "package",
        "{actor} {verb} package {package.name}[ {package.package_version.version}][ ({package.package_type})]\n\
         {package.package_version.html_url|package.html_url}",
        "",
    ),
    (
        "registry_package",
        "{actor} {verb} package {registry_package.name}[ {registry_package.package_version.version}]\
         [ ({registry_package.package_type})]\n\
         {registry_package.package_version.html_url|registry_package.html_url}",
        "",
    ),
    (
        "page_build",
        "page build: {build.status}[, {build.error.message}][, {build.commit:sha}][, by {build.pusher.login}]\n{repository.html_url}",
        "",
    ),
    ("gollum", "{actor} changed {pages:count=page} of the wiki", ""),
    ("project", "{actor} {verb} project {project.name}\n{project.html_url}", "project.body"),
    ("project_card", "{actor} {verb} a project card[: {project_card.note}]\n{project_card.content_url}", ""),
    ("project_column", "{actor} {verb} project column {project_column.name}", ""),
    (
        "projects_v2_item",
        "{actor} {verb} a project item[ ({projects_v2_item.content_type})][, changed {changes.field_value.field_name|changes:keys}]",
        "",
    ),
    (
        "installation",
        "{actor} {verb} the app[ {installation.app_slug}][ for {repositories:names}]\n{installation.html_url}",
        "",
    ),
    (
        "installation_repositories",
        "{actor} {verb} repositories of an app[, added {repositories_added:names}][, removed {repositories_removed:names}]",
        "",
    ),
    ("github_app_authorization", "{actor} {verb} the authorization of an app", ""),
    (
        "marketplace_purchase",
        "{actor} {verb} {marketplace_purchase.plan.name}[ for {marketplace_purchase.account.login}]\
         [, from {effective_date}]",
        "",
    ),
    (
        "sponsorship",
        "sponsorship of {sponsorship.sponsorable.login} by {sponsorship.sponsor.login} {verb}[, {sponsorship.tier.name}]\
         [, from {effective_date}]",
        "",
    ),
];
