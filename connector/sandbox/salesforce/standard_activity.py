"""The standard fields of activities: Task and Event. Tables only; `schema` says how to read them.

Event follows a recorded describe (without the objects that it can also be about but that are not here);
Task is written from the public object reference.
"""

from __future__ import annotations

from typing import Final

TASK: Final = """
Id                       id - di
WhoId                    reference Contact,Lead cun @Who
WhatId                   reference Account,Campaign,Opportunity cun @What
Subject                  combobox 255 cunN =Subject
ActivityDate             date - cun
Status                   picklist 255 cud =TaskStatus
Priority                 picklist 255 cud =TaskPriority
IsHighPriority           boolean - d
OwnerId                  reference Group,User cud @Owner
Description              textarea 32000 cun
IsDeleted                boolean - d
AccountId                reference Account n @Account
IsClosed                 boolean - d
IsArchived               boolean - d
CallDurationInSeconds    int - cun
CallType                 picklist 40 cunr =CallType
CallDisposition          string 255 cun
CallObject               string 255 cun
ReminderDateTime         datetime - cun
IsReminderSet            boolean - cud
RecurrenceActivityId     reference Task n
IsRecurrence             boolean - cd
CompletedDateTime        datetime - n
TaskSubtype              picklist 40 cnr =TaskSubtype
"""

EVENT: Final = """
Id                       id - di
WhoId                    reference Contact,Lead cun @Who
WhatId                   reference Account,Campaign,Opportunity cun @What
Subject                  combobox 255 cunN =Subject
Location                 string 255 cun
IsAllDayEvent            boolean - cud
ActivityDateTime         datetime - cun
ActivityDate             date - cun
DurationInMinutes        int - cun
StartDateTime            datetime - cun
EndDateTime              datetime - cun
EndDate                  date - n
Description              textarea 32000 cun
AccountId                reference Account n @Account
OwnerId                  reference Calendar,User cud @Owner
IsPrivate                boolean - cud
ShowAs                   picklist 40 cundr =ShowAs
IsDeleted                boolean - d
IsChild                  boolean - d
IsGroupEvent             boolean - d
GroupEventType           picklist 40 ndr =GroupEventType
IsArchived               boolean - d
RecurrenceActivityId     reference Event n
IsRecurrence             boolean - cd
RecurrenceStartDateTime  datetime - cun
RecurrenceEndDateOnly    date - cun
RecurrenceTimeZoneSidKey picklist 40 cunr
RecurrenceType           picklist 40 cunr
RecurrenceInterval       int - cun
RecurrenceDayOfWeekMask  int - cun
RecurrenceDayOfMonth     int - cun
RecurrenceInstance       picklist 40 cunr
RecurrenceMonthOfYear    picklist 40 cunr
ReminderDateTime         datetime - cun
IsReminderSet            boolean - cud
EventSubtype             picklist 40 cnr =EventSubtype
IsRecurrence2Exclusion   boolean - d
Recurrence2PatternText   textarea 512 cn
Recurrence2PatternVersion picklist 40 nr
IsRecurrence2            boolean - d
IsRecurrence2Exception   boolean - d
Recurrence2PatternStartDate datetime - n
Recurrence2PatternTimeZone string 255 n
"""
