/* Cells of the authorisation matrix written by hand. Included by tests/store/matrix.c. */
#ifndef STORE_MATRIX_BY_HAND_H
#define STORE_MATRIX_BY_HAND_H

#include "store/matrix.h"

/* From the assessments, not from the table. S0 海技士・小型船舶, S1 調理師, S2 保育士, S3 技能検定, S4 准看護師. */
#define YES true
#define NO false
static const struct {
    const char *role, *programme;
    enum route route;
    enum whose whose;
    bool permitted;
} by_hand[] = {
    /* All I.1②: the manager's reviewers review their own applications, and nobody else's (III.6 その他 ③) */
    {"reviewer", "kaigishi", ROUTE_intake_view, OWN, YES},
    {"reviewer", "kaigishi", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "kogata-senpaku", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "chorishi", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "hoikushi", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "ginou-kentei", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "jun-kangoshi", ROUTE_intake_decide, OWN, YES},
    {"reviewer", "kaigishi", ROUTE_intake_view, NAMED, NO},
    {"reviewer", "chorishi", ROUTE_intake_view, NAMED, NO},
    {"reviewer", "chorishi", ROUTE_intake_view, CROSSED, NO},
    {"reviewer", "hoikushi", ROUTE_intake_decide, NAMED, NO},
    {"reviewer", "hoikushi", ROUTE_intake_decide, CROSSED, NO},
    {"reviewer", "ginou-kentei", ROUTE_intake_list, NAMED, NO},
    {"reviewer", "ginou-kentei", ROUTE_intake_list, CROSSED, NO}, /* S3's accident: another body's people in a list */
    {"reviewer", "jun-kangoshi", ROUTE_intake_attachment_view, NAMED, NO},
    {"reviewer", "jun-kangoshi", ROUTE_certificates_show, NAMED, NO},
    {"reviewer", "jun-kangoshi", ROUTE_certificates_show, OWN, YES},
    /* S1 別添1, III.2 risk 3: what is on paper is typed in at the counter, not by a reviewer */
    {"reviewer", "chorishi", ROUTE_intake_paper, OWN, NO},
    {"counter", "chorishi", ROUTE_intake_paper, OWN, YES},
    {"counter", "hoikushi", ROUTE_intake_paper, OWN, YES},
    {"counter", "chorishi", ROUTE_intake_paper, NAMED, NO},
    {"counter", "chorishi", ROUTE_intake_paper, CROSSED, NO},
    /* All I.1② 決済: fees at the counter: S1 in cash, the others by stamps */
    {"counter", "chorishi", ROUTE_intake_fee_receipt, OWN, YES},
    {"counter", "kaigishi", ROUTE_intake_fee_receipt, OWN, YES},
    {"counter", "jun-kangoshi", ROUTE_intake_fee_receipt, OWN, YES},
    {"reviewer", "chorishi", ROUTE_intake_fee_receipt, OWN, NO},
    {"residence", "chorishi", ROUTE_intake_fee_receipt, OWN, NO},
    {"counter", "kaigishi", ROUTE_intake_fee_receipt, NAMED, NO},
    /* S0, S2–S4 I.2 system 2; S1 別添1 ⑦: the residence network is asked by its operators alone */
    {"residence", "kaigishi", ROUTE_residence_instant, OWN, YES},
    {"residence", "chorishi", ROUTE_residence_instant, OWN, YES},
    {"residence", "chorishi", ROUTE_intake_residence_result, OWN, YES},
    {"residence", "hoikushi", ROUTE_residence_instant_result, OWN, YES},
    {"residence", "hoikushi", ROUTE_residence_instant, NAMED, NO},
    {"residence", "hoikushi", ROUTE_residence_instant, CROSSED, NO},
    {"residence", "hoikushi", ROUTE_residence_instant_result, CROSSED, NO},
    {"reviewer", "kaigishi", ROUTE_residence_instant, OWN, NO},
    {"counter", "chorishi", ROUTE_residence_instant, OWN, NO},
    {"counter", "jun-kangoshi", ROUTE_residence_instant_result, OWN, NO},
    {"counter", "chorishi", ROUTE_intake_residence_result, OWN, NO},
    /* S1 II.3 ①: health centres take in, the prefecture reviews */
    {"health_centre", "chorishi", ROUTE_intake_view, OWN, YES},
    {"health_centre", "chorishi", ROUTE_intake_paper, OWN, YES},
    {"health_centre", "chorishi", ROUTE_intake_fee_receipt, OWN, YES},
    {"health_centre", "chorishi", ROUTE_intake_decide, OWN, NO},
    {"health_centre", "chorishi", ROUTE_residence_instant, OWN, NO},
    {"health_centre", "hoikushi", ROUTE_intake_view, OWN, NO},
    {"health_centre", "chorishi", ROUTE_certificates_show, OWN, NO},
    /* All III.3 risk 3 (2): the records of use are looked through by who inspects, not by who reviews or administers */
    {"inspector", "chorishi", ROUTE_audit_findings, OWN, YES},
    {"inspector", "chorishi", ROUTE_audit_findings, NAMED, NO},
    {"inspector", "chorishi", ROUTE_intake_view, OWN, NO},
    {"administrator", "kaigishi", ROUTE_audit_finding, OWN, NO},
    /* S2 II.4 委託事項2: the registration centre works for the governor, on this roll alone */
    {"registration_centre", "hoikushi", ROUTE_intake_decide, OWN, YES},
    {"registration_centre", "hoikushi", ROUTE_intake_view, OWN, YES},
    {"registration_centre", "hoikushi", ROUTE_vault_correction_ask, OWN, NO},
    {"registration_centre", "chorishi", ROUTE_intake_decide, OWN, NO},
    {"registration_centre", "jun-kangoshi", ROUTE_intake_view, OWN, NO},
    /* S3 I.7, III.4: associations and data-entry contractors share the examination, each its part of the work */
    {"association", "ginou-kentei", ROUTE_intake_decide, OWN, YES},
    {"association", "ginou-kentei", ROUTE_intake_fee_receipt, OWN, YES},
    {"association", "kaigishi", ROUTE_intake_view, OWN, NO},
    {"data_entry", "ginou-kentei", ROUTE_intake_paper, OWN, YES},
    {"data_entry", "ginou-kentei", ROUTE_intake_view, OWN, NO},
    {"data_entry", "ginou-kentei", ROUTE_intake_list, OWN, NO},
    {"data_entry", "ginou-kentei", ROUTE_intake_decide, OWN, NO},
    {"data_entry", "chorishi", ROUTE_intake_paper, OWN, NO},
    /* All III.3 risk 1: number and pseudonym are tied anew by those who were given that, nobody else */
    {"corrector", "chorishi", ROUTE_vault_correction_ask, OWN, YES},
    {"corrector", "kaigishi", ROUTE_vault_correction_decide, OWN, YES},
    {"corrector", "kaigishi", ROUTE_vault_correction_decide, NAMED, NO},
    {"corrector", "chorishi", ROUTE_intake_view, OWN, NO},
    {"reviewer", "chorishi", ROUTE_vault_correction_ask, OWN, NO},
    {"counter", "chorishi", ROUTE_vault_correction_decide, OWN, NO},
    {"counter", "chorishi", ROUTE_vault_change_number, OWN, YES},
    {"reviewer", "chorishi", ROUTE_vault_change_number, OWN, NO},
    /* All III.6 risk 4 ③: who operates the platform reaches no personal data; nor do administrators of the system */
    {"platform_operator", "kaigishi", ROUTE_intake_view, OWN, NO},
    {"platform_operator", "kaigishi", ROUTE_intake_list, OWN, NO},
    {"platform_operator", "chorishi", ROUTE_certificates_show, OWN, NO},
    {"platform_operator", "chorishi", ROUTE_residence_instant_result, OWN, NO},
    {"platform_operator", "chorishi", ROUTE_vault_corrections, OWN, NO},
    {"platform_operator", "kaigishi", ROUTE_staff_accounts, OWN, NO}, /* nor the managers' own people */
    {"platform_operator", "kaigishi", ROUTE_staff_accounts, NAMED, NO},
    {"platform_operator", "hoikushi", ROUTE_staff_account_decide, OWN, NO},
    {"platform_operator", "hoikushi", ROUTE_staff_terminals, OWN, NO},
    {"platform_operator", "chorishi", ROUTE_staff_rights_review, OWN, NO},
    {"administrator", "kaigishi", ROUTE_staff_accounts, OWN, YES}, /* who administers there */
    {"administrator", "kaigishi", ROUTE_staff_accounts, NAMED, NO},
    {"administrator", "hoikushi", ROUTE_staff_terminals, OWN, YES},
    {"administrator", "chorishi", ROUTE_staff_rights_review, OWN, YES},
    {"reviewer", "chorishi", ROUTE_staff_rights_review, OWN, NO},
    {"administrator", "hoikushi", ROUTE_intake_view, OWN, NO},
    {"administrator", "hoikushi", ROUTE_intake_attachment_view, OWN, NO},
    /* All V.1, IV.3: whoever answers requests for disclosure and looks into leaks asks the records of use; nobody else,
     * of no other manager, and not who operates the platform */
    {"disclosure", "chorishi", ROUTE_audit_who, OWN, YES},
    {"disclosure", "kaigishi", ROUTE_audit_account, OWN, YES},
    {"disclosure", "kaigishi", ROUTE_audit_exposed, OWN, YES},
    {"disclosure", "hoikushi", ROUTE_audit_incident_open, OWN, YES},
    {"disclosure", "hoikushi", ROUTE_audit_incidents, OWN, YES},
    {"disclosure", "hoikushi", ROUTE_audit_incident_open, NAMED, NO},
    {"inspector", "hoikushi", ROUTE_audit_incident_step, OWN, NO},
    {"platform_operator", "hoikushi", ROUTE_audit_incidents, OWN, NO},
    {"platform_operator", "hoikushi", ROUTE_audit_incident_persons, OWN, NO},
    {"disclosure", "chorishi", ROUTE_audit_who, NAMED, NO},
    {"disclosure", "chorishi", ROUTE_audit_exposed, NAMED, NO},
    {"inspector", "chorishi", ROUTE_audit_who, OWN, NO},
    {"reviewer", "chorishi", ROUTE_audit_who, OWN, NO},
    {"counter", "hoikushi", ROUTE_audit_account, OWN, NO},
    {"administrator", "kaigishi", ROUTE_audit_account, OWN, NO},
    {"platform_operator", "kaigishi", ROUTE_audit_who, OWN, NO},
    {"platform_operator", "kaigishi", ROUTE_audit_account, OWN, NO},
    {"platform_operator", "chorishi", ROUTE_audit_exposed, OWN, NO},
    /* NUM-3, NUM-7, LINK-1: nobody at a terminal reaches what services ask each other */
    {"counter", "chorishi", ROUTE_vault_release, OWN, NO},
    {"corrector", "chorishi", ROUTE_vault_resolve, OWN, NO},
    {"reviewer", "kaigishi", ROUTE_records_entry, OWN, NO},
    {"reviewer", "kaigishi", ROUTE_legacy_sync_hand_over, OWN, NO},
    {"administrator", "kaigishi", ROUTE_staff_add, OWN, NO},
    {"platform_operator", "kaigishi", ROUTE_vault_manager_end, OWN, NO},
};

#endif
