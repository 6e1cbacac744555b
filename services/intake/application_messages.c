#include "intake/application_messages.h"

#include "chassis/table_request.h"
#include "chassis/second_person.h"
#include "intake/application_events.h"
#include "intake/application_export.h"
#include "intake/application_review.h"
#include "intake/application_status.h"
#include "intake/application_submit.h"
#include "intake/attachment_messages.h"

const struct message application_messages[APPLICATION_MESSAGES] = {
    /* applicants */
    {ROUTE_intake_submit, submit_check, submit_act},
    {ROUTE_intake_attachment, attachment_check, attachment_act},
    {ROUTE_intake_status, status_check, status_act},
    {ROUTE_intake_pay, pay_check, pay_act},
    /* staff */
    {ROUTE_intake_paper, paper_check, paper_act},
    {ROUTE_intake_list, list_check, list_act},
    PROPOSAL_MESSAGES(intake),
    {ROUTE_intake_export, table_request_check, export_act},
    {ROUTE_intake_view, NULL, view_act},
    {ROUTE_intake_attachment_view, NULL, attachment_view_act},
    {ROUTE_intake_decide, decide_check, decide_act},
    {ROUTE_intake_fee_receipt, fee_receipt_check, fee_receipt_act},
    {ROUTE_intake_residence_result, NULL, residence_result_act},
    /* connectors */
    {ROUTE_intake_residence_answered, NULL, residence_answered_act},
    {ROUTE_intake_family_answered, NULL, family_answered_act},
    {ROUTE_intake_handed_over, NULL, handed_over_act},
};
