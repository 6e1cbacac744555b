#include "intake/application_events.h"

#include "intake/application_steps.h"
#include "intake/intake_setup.h"

#include "intake.pb-c.h"

#include <string.h>

static enum outcome taken(struct work *work, enum application_state follows)
{
    Intake__EventReply reply = INTAKE__EVENT_REPLY__INIT;
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE && follows < STATES)
        application_wake(follows);
    return outcome;
}

/* Begin and read the application. False: answer with *outcome. */
static bool event_begin(
    struct work *work, const char *manager, const char *id, struct application *a, enum outcome *outcome)
{
    if (!work_begin(work, manager)) {
        *outcome = work_end(work);
        return false;
    }
    if (!application_find(work, id, a)) {
        *outcome = work_refuse(work);
        return false;
    }
    return true;
}

/* After a person has seen to it: the network was away, or the changed number was typed in. */
static bool asks_again(const char *result)
{
    return strcmp(result, "unavailable") == 0 || strcmp(result, "number_changed") == 0;
}

static const char *differing_code(const char *result)
{
    return strcmp(result, "match") == 0            ? "residence_differs"
           : strcmp(result, "number_changed") == 0 ? "number_changed"
                                                   : "residence_not_found";
}

enum application_state residence_take(
    struct work *work, const struct application *a, const char *result, const struct person *person)
{
    const struct programme *programme = programme_find(intake_programmes(), a->programme);
    char comparison[PERSON_MATCH_TEXT_MAX] = "";
    enum application_state next = state_next(programme, state_numbered(programme, a->channel), a->state);
    bool agrees = false;
    if (person) {
        struct person_match match = person_match_compare(&a->person, person);
        person_match_print(&match, comparison, sizeof comparison);
        agrees = strcmp(result, "match") == 0 && person_match_agrees(&match);
    }
    application_set_residence(work, a, result, comparison, agrees ? person : NULL);
    if (agrees)
        application_move(work, a, &(struct move){.to = next, .code = "residence_agrees"});
    else
        application_move(work, a,
            &(struct move){
                .to = STATE_person, .resume = asks_again(result) ? a->state : next, .code = differing_code(result)});
    return agrees ? next : STATE_person;
}

enum outcome residence_answered_act(struct work *work)
{
    const Intake__ResidenceAnswered *event = (const Intake__ResidenceAnswered *)work->request;
    struct application a;
    struct person person;
    enum outcome outcome;
    if (!event_begin(work, event->manager, event->application, &a, &outcome))
        return outcome;
    if (a.state != STATE_residence)
        return taken(work, STATES);
    bool found = event->person && person_fill(&person, event->person->name, event->person->address,
                                      event->person->birth_date, event->person->sex, &work->fault);
    work->fault.code = FAULT_NONE;
    enum application_state next = residence_take(work, &a, event->result, found ? &person : NULL);
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application});
    return taken(work, next);
}

enum outcome family_answered_act(struct work *work)
{
    const Intake__FamilyAnswered *event = (const Intake__FamilyAnswered *)work->request;
    struct application a;
    enum outcome outcome;
    if (!event_begin(work, event->manager, event->application, &a, &outcome))
        return outcome;
    if (a.state != STATE_family)
        return taken(work, STATES);
    bool found = strcmp(event->result, "found") == 0 && *event->domicile;
    bool again = strcmp(event->result, "unavailable") == 0;
    application_set_family(work, &a, event->result, event->domicile);
    application_move(work, &a,
        found ? &(struct move){.to = STATE_review, .code = "domicile_known"}
              : &(struct move){
                    .to = STATE_person, .resume = again ? STATE_family : STATE_review, .code = "domicile_unknown"});
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application});
    return taken(work, found ? STATE_review : STATE_person);
}

enum outcome handed_over_act(struct work *work)
{
    const Intake__HandedOver *event = (const Intake__HandedOver *)work->request;
    struct application a;
    enum outcome outcome;
    if (!event_begin(work, event->manager, event->application, &a, &outcome))
        return outcome;
    /* It may be taken after all while a person is asked. */
    bool waits = a.state == STATE_handing_over, asked = a.state == STATE_person && a.resume == STATE_handing_over;
    if (!waits && (!asked || *event->result))
        return taken(work, STATES);
    if (*event->result) {
        const char *code = strcmp(event->result, "refused") == 0 ? "legacy_refused" : "legacy_unavailable";
        application_move(work, &a, &(struct move){.to = STATE_person, .resume = STATE_handing_over, .code = code});
        work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application});
        return taken(work, STATE_person);
    }
    application_move(work, &a, &(struct move){.to = STATE_notifying, .code = "handed_over"});
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application});
    return taken(work, STATE_notifying);
}
