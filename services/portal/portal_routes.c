#include "portal/portal_routes.h"

#include "portal/portal_handlers.h"

#include <stdio.h>
#include <string.h>

#define KIB 1024
#define SMALL (16 * KIB)

const struct http_route http_routes[] = {
    {"vault_keys", "GET", "/.well-known/vault-keys", WHO_ANYONE, RIGHT_none, 0, vault_keys_http},

    {"attachment", "PUT", "/api/attachments/{sha256}", WHO_MYNAPORTAL | WHO_STAFF, RIGHT_paper_enter, 192 * KIB,
        attachment_http},
    {"submit", "POST", "/api/applications", WHO_HOLDER, RIGHT_none, 192 * KIB, submit_http},
    {"status_list", "GET", "/api/applications", WHO_HOLDER, RIGHT_none, 0, status_list_http},
    {"status", "GET", "/api/applications/{receipt}", WHO_HOLDER, RIGHT_none, 0, status_http},
    {"payment", "POST", "/api/applications/{receipt}/payment", WHO_HOLDER, RIGHT_none, 0, payment_http},

    {"certificate", "GET", "/api/certificates/{id}", WHO_HOLDER | WHO_STAFF, RIGHT_certificate_show, 0,
        certificate_http},
    {"verify", "GET", "/api/verify", WHO_ANYONE, RIGHT_none, 0, verify_http},
    {"page", "GET", "/w/", WHO_ANYONE, RIGHT_none, 0, page_http},

    {"login", "POST", "/api/staff/sessions", WHO_TERMINAL, RIGHT_none, SMALL, login_http},
    {"logout", "DELETE", "/api/staff/sessions", WHO_STAFF, RIGHT_session, 0, logout_http},
    {"staff_renew", "POST", "/api/staff/sessions/renewal", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_sessions", "GET", "/api/staff/sessions", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_session_end", "DELETE", "/api/staff/sessions/{session}", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_logins", "GET", "/api/staff/logins", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_me", "GET", "/api/staff/me", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_password", "POST", "/api/staff/me/password", WHO_STAFF, RIGHT_session, SMALL, account_http},
    {"staff_factor_enrol", "POST", "/api/staff/me/second-factor", WHO_STAFF, RIGHT_session, SMALL, account_http},
    {"staff_factor_confirm", "POST", "/api/staff/me/second-factor/confirmation", WHO_STAFF, RIGHT_session, SMALL,
        account_http},
    {"staff_terms_accept", "POST", "/api/staff/me/terms", WHO_STAFF, RIGHT_session, SMALL, account_http},
    {"staff_account_apply", "POST", "/api/staff/account-applications", WHO_STAFF, RIGHT_account_apply, SMALL,
        account_http},
    {"staff_applications", "GET", "/api/staff/account-applications", WHO_STAFF, RIGHT_account_watch, 0, account_http},
    {"staff_account_decide", "POST", "/api/staff/account-applications/{application}/decision", WHO_STAFF,
        RIGHT_account_decide, SMALL, account_http},
    {"staff_accounts", "GET", "/api/staff/accounts", WHO_STAFF, RIGHT_account_watch, 0, account_http},
    {"staff_account_end", "POST", "/api/staff/accounts/{account}/end", WHO_STAFF, RIGHT_account_decide, SMALL,
        account_http},
    {"staff_account_reset", "POST", "/api/staff/accounts/{account}/first-password", WHO_STAFF, RIGHT_account_decide,
        SMALL, account_http},
    {"staff_training", "POST", "/api/staff/accounts/{account}/trainings", WHO_STAFF, RIGHT_account_decide, SMALL,
        account_http},
    {"staff_policy", "PUT", "/api/staff/policy", WHO_STAFF, RIGHT_account_decide, SMALL, account_http},
    {"staff_terminals", "GET", "/api/staff/terminals", WHO_STAFF, RIGHT_terminal_manage, 0, account_http},
    {"staff_terminal_add", "POST", "/api/staff/terminals", WHO_STAFF, RIGHT_terminal_manage, SMALL, account_http},
    {"staff_terminal_end", "POST", "/api/staff/terminals/{terminal}/end", WHO_STAFF, RIGHT_terminal_manage, SMALL,
        account_http},
    {"staff_loan_ask", "POST", "/api/staff/loans", WHO_STAFF, RIGHT_session, SMALL, account_http},
    {"staff_loans", "GET", "/api/staff/loans", WHO_STAFF, RIGHT_session, 0, account_http},
    {"staff_loan_decide", "POST", "/api/staff/loans/{loan}/decision", WHO_STAFF, RIGHT_loan_decide, SMALL,
        account_http},
    {"staff_loan_end", "POST", "/api/staff/loans/{loan}/end", WHO_STAFF, RIGHT_session, SMALL, account_http},
    {"staff_rights", "GET", "/api/staff/rights", WHO_STAFF, RIGHT_rights_review, 0, account_http},
    {"staff_rights_review", "POST", "/api/staff/rights/reviews", WHO_STAFF, RIGHT_rights_review, SMALL, account_http},
    {"audit_findings", "GET", "/api/staff/findings", WHO_STAFF, RIGHT_findings, 0, account_http},
    {"audit_finding", "GET", "/api/staff/findings/{finding}", WHO_STAFF, RIGHT_findings, 0, account_http},
    {"audit_finding_close", "POST", "/api/staff/findings/{finding}/closing", WHO_STAFF, RIGHT_findings, SMALL,
        account_http},
    {"list", "GET", "/api/staff/applications", WHO_STAFF, RIGHT_view, 0, list_http},
    {"proposals", "GET", "/api/staff/proposals", WHO_STAFF, RIGHT_session, 0, proposal_list_http},
    {"proposal", "GET", "/api/staff/proposals/{proposal}", WHO_STAFF, RIGHT_session, 0, proposal_view_http},
    {"proposal_decide", "POST", "/api/staff/proposals/{proposal}/decision", WHO_STAFF, RIGHT_session, SMALL,
        proposal_close_http},
    {"intake_export", "GET", "/api/staff/exports/applications", WHO_STAFF, RIGHT_export, 0, export_http},
    {"records_export", "GET", "/api/staff/exports/roll", WHO_STAFF, RIGHT_export, 0, export_http},
    {"view", "GET", "/api/staff/applications/{receipt}", WHO_STAFF, RIGHT_view, 0, view_http},
    {"attachment_view", "GET", "/api/staff/applications/{receipt}/attachments", WHO_STAFF, RIGHT_view, 0,
        attachment_view_http},
    {"decide", "POST", "/api/staff/applications/{receipt}/decision", WHO_STAFF, RIGHT_review, SMALL, decide_http},
    {"fee_receipt", "POST", "/api/staff/applications/{receipt}/fee-receipts", WHO_STAFF, RIGHT_fee_receive, SMALL,
        fee_receipt_http},
    {"residence_inquire", "POST", "/api/staff/applications/{receipt}/residence-inquiries", WHO_STAFF,
        RIGHT_residence_terminal, SMALL, residence_inquire_http},
    {"residence_result", "POST", "/api/staff/applications/{receipt}/residence-result", WHO_STAFF,
        RIGHT_residence_terminal, SMALL, residence_result_http},
    {"residence_inquiry", "GET", "/api/staff/residence-inquiries/{id}", WHO_STAFF, RIGHT_residence_terminal, 0,
        residence_inquiry_http},
    {"number_change", "PUT", "/api/staff/persons/{pseudonym}/number", WHO_STAFF, RIGHT_number_change, 32 * KIB,
        number_change_http},
    {"correction_open", "POST", "/api/staff/corrections", WHO_STAFF, RIGHT_number_correct, 32 * KIB,
        correction_open_http},
    {"correction_list", "GET", "/api/staff/corrections", WHO_STAFF, RIGHT_number_correct, 0, correction_list_http},
    {"correction_close", "POST", "/api/staff/corrections/{id}/decision", WHO_STAFF, RIGHT_number_correct, SMALL,
        correction_close_http},
    {"audit_who", "GET", "/api/staff/uses/of-person", WHO_STAFF, RIGHT_use_disclose, 0, account_http},
    {"audit_account", "GET", "/api/staff/uses/of-account", WHO_STAFF, RIGHT_use_inquire, 0, account_http},
    {"audit_exposed", "GET", "/api/staff/uses/exposed", WHO_STAFF, RIGHT_use_inquire, 0, account_http},
    {"audit_incidents", "GET", "/api/staff/incidents", WHO_STAFF, RIGHT_incident_keep, 0, account_http},
    {"audit_incident_open", "POST", "/api/staff/incidents", WHO_STAFF, RIGHT_incident_keep, 32 * KIB, account_http},
    {"audit_incident", "GET", "/api/staff/incidents/{incident}", WHO_STAFF, RIGHT_incident_keep, 0, account_http},
    {"audit_incident_change", "PUT", "/api/staff/incidents/{incident}", WHO_STAFF, RIGHT_incident_keep, 128 * KIB,
        account_http},
    {"audit_incident_scope", "POST", "/api/staff/incidents/{incident}/scopes", WHO_STAFF, RIGHT_incident_keep, 32 * KIB,
        account_http},
    {"audit_incident_persons", "GET", "/api/staff/incidents/{incident}/persons", WHO_STAFF, RIGHT_incident_keep, 0,
        account_http},
    {"audit_incident_step", "POST", "/api/staff/incidents/{incident}/steps", WHO_STAFF, RIGHT_incident_keep, SMALL,
        account_http},
    {"paper", "POST", "/api/staff/paper-applications", WHO_STAFF, RIGHT_paper_enter, 128 * KIB, paper_http},
};
const size_t http_route_count = sizeof http_routes / sizeof *http_routes;

static bool part_take(const char **path, char part[HTTP_PART_MAX + 1])
{
    size_t len = strcspn(*path, "/");
    if (len == 0 || len > HTTP_PART_MAX)
        return false;
    memcpy(part, *path, len);
    part[len] = '\0';
    *path += len;
    return is_word(part, HTTP_PART_MAX);
}

static bool path_matches(const char *pattern, const char *path, char part[HTTP_PART_MAX + 1])
{
    part[0] = '\0';
    while (*pattern && *path) {
        if (*pattern == '{') {
            if (!part_take(&path, part))
                return false;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++)
            return false;
    }
    return !*pattern && !*path;
}

const struct http_route *http_route_find(const struct http_route *routes, size_t count, const char *method,
    const char *path, char part[HTTP_PART_MAX + 1], struct fault *fault)
{
    bool known = false;
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(routes[i].path, path, part))
            continue;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
        known = true;
    }
    fault_set(fault, known ? FAULT_method_not_allowed : FAULT_not_found, NULL);
    return NULL;
}

void http_route_methods(const struct http_route *routes, size_t count, const char *path, char *text, size_t size)
{
    char part[HTTP_PART_MAX + 1];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        if (path_matches(routes[i].path, path, part))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", routes[i].method);
}
